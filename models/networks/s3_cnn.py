"""A deeply quantized CNN for CIFAR-10 after Ayaz and others 2023 (S3): six convolutions.

It has 205 k weights and 19 M multiply-accumulates.

The paper gives no layer table; this one is ours, kept in its spirit: plain convolutions, ternary
(or binary, 2, 4 or 8-bit) weights, and one Jacobian penalty per layer.
"""

from __future__ import annotations

from tinyrobust.models.networks.chain import Chain, Conv

CLASSES = 10
STAGES = ((32, 1), (32, 2), (64, 1), (64, 2), (96, 1), (96, 1))
"""Filters and stride of each 3x3 convolution."""

CHAIN = Chain(
    "s3",
    (32, 32, 3),
    tuple(Conv(f, strides=(s, s)) for f, s in STAGES),
    pool=(8, 8),
    classes=CLASSES,
)
build_float = CHAIN.build_float
build_qat = CHAIN.build_qat
