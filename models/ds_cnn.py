"""DS-CNN for keyword spotting as in MLPerf Tiny v1.0: MFCC 49x10 to 12 classes, 2.7 M MACs."""

from __future__ import annotations

from models.chain import Chain, Conv, separable

CHAIN = Chain(
    name="ds_cnn",
    shape=(49, 10, 1),
    convs=(Conv(64, (10, 4), (2, 2)), *separable(64), *separable(64), *separable(64), *separable(64)),
    pool=(25, 5),
    classes=12,
)
