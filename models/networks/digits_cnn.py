"""The digits CNN, 8x8 to 10 classes: float32, and QKeras with 6, 4, 4 and 6-bit weights.

All scales are powers of two and every activation rounds half away from zero, which makes the
exported network equal to the trained one in every byte (``models/export/lower.py``).
"""

from __future__ import annotations

from typing import Any

from tinyrobust.models.keras.rounding import quantized_bits_away, quantized_relu_away
from tinyrobust.models.keras.tf import keras

from qkeras import QActivation, QConv2D, QDense, quantized_bits  # isort: skip  (after keras.tf)


def build_float() -> Any:
    """Full precision; the last layer gives logits."""
    layers = keras.layers
    x = inputs = layers.Input((8, 8, 1), name="image")
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="conv1")(x)
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu", name="conv2")(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="conv3")(x)
    x = layers.AveragePooling2D(2, name="pool")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(10, name="logits")(x)
    return keras.Model(inputs, x, name="digits_float32")


def build_qat() -> Any:
    """The same network with quantized weights and activations; weights may be copied from
    ``build_float``.
    """
    layers = keras.layers
    x = inputs = layers.Input((8, 8, 1), name="image")
    x = _conv("conv1", 16, bits=6)(x)
    x = QActivation(quantized_relu_away(5, 1), name="relu1")(x)
    x = _conv("conv2", 32, bits=4, strides=2)(x)
    x = QActivation(quantized_relu_away(4, 2), name="relu2")(x)
    x = _conv("conv3", 32, bits=4)(x)
    x = QActivation(quantized_relu_away(6, 2), name="relu3")(x)
    x = layers.AveragePooling2D(2, name="pool")(x)
    x = QActivation(quantized_relu_away(6, 2), name="pool_grid")(x)
    x = layers.Flatten(name="flatten")(x)
    x = QDense(10, kernel_quantizer=_weights(6), bias_quantizer=_bias(), name="logits")(x)
    x = QActivation(quantized_bits_away(8, 4, 0, alpha=1.0), name="logits_grid")(x)
    return keras.Model(inputs, x, name="digits_qat")


def _conv(name: str, filters: int, bits: int, strides: int = 1) -> Any:
    return QConv2D(
        filters,
        3,
        strides=strides,
        padding="same",
        kernel_quantizer=_weights(bits),
        bias_quantizer=_bias(),
        name=name,
    )


def _weights(bits: int) -> Any:
    return quantized_bits(bits, 0, 1, alpha="auto_po2")


def _bias() -> Any:
    return quantized_bits(8, 1, 1, alpha=1.0)
