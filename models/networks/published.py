"""A table of networks that others published, each a plain chain of layers."""

from __future__ import annotations

from itertools import chain

from tinyrobust.models.keras.quantizers import W4, LayerBits, heterogeneous, weights
from tinyrobust.models.networks.chain import Chain, Conv, separable
from tinyrobust.models.networks.dense_chain import DenseChain

DS_CNN = Chain(
    name="ds_cnn",
    shape=(49, 10, 1),
    convs=(
        Conv(64, (10, 4), (2, 2)),
        *separable(64),
        *separable(64),
        *separable(64),
        *separable(64),
    ),
    pool=(25, 5),
    classes=12,
)
"""MLPerf Tiny v1.0's keyword spotting: MFCC 49x10 to 12 classes, 2.7 M multiply-accumulates."""


COFFEE_CNN = Chain(
    name="coffee",
    shape=(224, 224, 3),
    convs=tuple(Conv(filters, strides=(2, 2)) for filters in (16, 24, 32, 64, 128, 128)),
    pool=(4, 4),
    classes=4,
)


FC_AUTOENCODER = DenseChain(
    "fc_autoencoder", 640, (128, 128, 128, 128, 8, 128, 128, 128, 128), 640, norms=True
)


MLP_S2 = DenseChain("mlp", 784, (100,), 10, norms=False)
MLP_S2_BITS = heterogeneous(
    "w2w7", W4, dense1=LayerBits(weights(2), 6), logits=LayerBits(weights(7))
)
"""Unequal widths as in the follow-on thesis: 78,400 weights of 2 bits, activations of 6, 1,000
weights of 7.
"""


_MOBILENET_BLOCKS = (
    (16, 1),
    (32, 2),
    (32, 1),
    (64, 2),
    (64, 1),
    (128, 2),
    *((128, 1),) * 5,
    (256, 2),
    (256, 1),
)
"""Filters and stride of each depthwise-separable block."""

MOBILENET_V1 = Chain(
    name="mobilenet_v1",
    shape=(96, 96, 3),
    convs=(
        Conv(8, strides=(2, 2)),
        *chain.from_iterable(separable(f, s) for f, s in _MOBILENET_BLOCKS),
    ),
    pool=(3, 3),
    classes=2,
)
