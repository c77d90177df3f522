"""MobileNetV1 0.25 for visual wake words as in MLPerf Tiny v1.0: 96x96 RGB to 2 classes, 7.5 M MACs."""

from __future__ import annotations

from itertools import chain

from models.chain import Chain, Conv, separable

_BLOCKS = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *((128, 1),) * 5, (256, 2), (256, 1))
"""Filters and stride of each depthwise-separable block."""

CHAIN = Chain(
    name="mobilenet_v1",
    shape=(96, 96, 3),
    convs=(Conv(8, strides=(2, 2)), *chain.from_iterable(separable(f, s) for f, s in _BLOCKS)),
    pool=(3, 3),
    classes=2,
)
