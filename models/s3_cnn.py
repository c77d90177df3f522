"""A deeply quantized CNN for CIFAR-10 after Ayaz et al. 2023 (S3): six convolutions, 205 k weights, 19 M MACs.

The paper gives no layer table; this one is ours, kept in its spirit: plain convolutions, ternary (or binary, 2, 4 or
8-bit) weights, and one Jacobian penalty per layer.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from models.jacobian import LayerWeight, Penalty
from models.quantizers import POOL_BITS, Bits, activation, bias_quantizer, signed
from models.tf import keras

from qkeras import QActivation, QConv2D, QDense  # isort: skip  (after models.tf)

CLASSES = 10
STAGES = ((32, 1), (32, 2), (64, 1), (64, 2), (96, 1), (96, 1))
"""Filters and stride of each 3x3 convolution."""


def build_float() -> Any:
    """float32 with batch norms, images [n, 32, 32, 3] in [-1, 1) to logits [n, 10]."""
    layers = keras.layers
    x = inputs = layers.Input((32, 32, 3), name="image")
    for i, (filters, strides) in enumerate(STAGES, 1):
        x = layers.Conv2D(
            filters, 3, strides, padding="same", use_bias=False, kernel_initializer="he_normal", name=f"conv{i}"
        )(x)
        x = layers.BatchNormalization(name=f"norm{i}")(x)
        x = layers.ReLU(name=f"relu{i}")(x)
    x = layers.AveragePooling2D(8, name="pool")(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, layers.Dense(CLASSES, name="logits")(x), name="s3_float32")


def build_qat(bits: Bits) -> Any:
    """The same network without batch norms, weights and activations quantized to ``bits``."""
    layers = keras.layers
    x = inputs = layers.Input((32, 32, 3), name="image")
    for i, (filters, strides) in enumerate(STAGES, 1):
        kernel = bits.edge_weights if i == 1 else bits.weights
        x = QConv2D(
            filters,
            3,
            strides,
            padding="same",
            kernel_quantizer=kernel(),
            bias_quantizer=bias_quantizer(),
            name=f"conv{i}",
        )(x)
        last = i == len(STAGES)  # pooling keeps its input's grid
        x = QActivation(activation(POOL_BITS if last else bits.activations, 2), name=f"relu{i}")(x)
    x = layers.AveragePooling2D(8, name="pool")(x)
    x = QActivation(activation(POOL_BITS, 2), name="pool_grid")(x)
    x = layers.Flatten(name="flatten")(x)
    x = QDense(CLASSES, kernel_quantizer=bits.edge_weights(), bias_quantizer=bias_quantizer(), name="logits")(x)
    return keras.Model(inputs, QActivation(signed(5), name="logits_grid")(x), name=f"s3_{bits.name}")


def per_layer(strength: float, share: float = 0.5) -> Penalty:
    """S3's penalty: every layer's own Jacobian, from its input to its activation, at the same weight per input value.

    A layer's squared norm grows with its number of outputs, so each is divided by ``outputs / classes``.
    """
    names = ("image", *(f"relu{i}" for i in range(1, len(STAGES) + 1)))
    side, weights = 32, []
    for (source, target), (filters, strides) in zip(pairwise(names), STAGES, strict=True):
        side //= strides
        weights.append(LayerWeight(source, target, strength * CLASSES / (side * side * filters)))
    return Penalty(layers=(*weights, LayerWeight("flatten", "logits", strength)), share=share)
