"""Networks that are a plain chain of convolutions: one description, built in float32 and quantized.

Float: convolution, batch norm, ReLU. Quantized: convolution with the norm folded in, activation on
a fixed grid. The last activation and the average pool share a grid, as the chip's pool needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyrobust.models.keras.quantizers import POOL_BITS, Bits, activation, bias_quantizer, signed
from tinyrobust.models.keras.tf import keras

from qkeras import QActivation, QConv2D, QDense, QDepthwiseConv2D  # isort: skip  (after keras.tf)

RANGE_BITS = 2
"""Activations of a batch-normed layer stay below 2**2."""
LOGIT_BITS = 5


@dataclass(frozen=True)
class Conv:
    """A convolution, padded to keep its size; ``filters`` None makes it depthwise."""

    filters: int | None
    size: tuple[int, int] = (3, 3)
    strides: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class Chain:
    """A chain of convolutions, an average pool and a dense layer of logits.

    ``convs`` are numbered from 1 (``conv1``, ``relu1`` ...); the pool is ``pool`` wide.
    """

    name: str
    shape: tuple[int, int, int]
    convs: tuple[Conv, ...]
    pool: tuple[int, int]
    classes: int

    def build_float(self) -> Any:
        """float32, inputs [n, *shape] in [-1, 1) to logits [n, classes]."""
        layers = keras.layers
        x = inputs = layers.Input(self.shape, name="image")
        for i, conv in enumerate(self.convs, 1):
            shared = {
                "strides": conv.strides,
                "padding": "same",
                "use_bias": False,
                "name": f"conv{i}",
            }
            if conv.filters is None:
                x = layers.DepthwiseConv2D(conv.size, depthwise_initializer="he_normal", **shared)(
                    x
                )
            else:
                x = layers.Conv2D(
                    conv.filters, conv.size, kernel_initializer="he_normal", **shared
                )(x)
            x = layers.BatchNormalization(name=f"norm{i}")(x)
            x = layers.ReLU(name=f"relu{i}")(x)
        x = layers.AveragePooling2D(self.pool, name="pool")(x)
        x = layers.Flatten(name="flatten")(x)
        return keras.Model(
            inputs, layers.Dense(self.classes, name="logits")(x), name=f"{self.name}_float32"
        )

    def build_qat(self, bits: Bits) -> Any:
        """The network in ``bits``: quantized weights and activations, no batch norms."""
        layers = keras.layers
        x = inputs = layers.Input(self.shape, name="image")
        for i, conv in enumerate(self.convs, 1):
            shared = {
                "strides": conv.strides,
                "padding": "same",
                "bias_quantizer": bias_quantizer(),
                "name": f"conv{i}",
            }
            if conv.filters is None:
                x = QDepthwiseConv2D(
                    conv.size, depthwise_quantizer=bits.depthwise_kernel(f"conv{i}"), **shared
                )(x)
            else:
                kernel = bits.kernel(f"conv{i}", edge=i == 1)
                x = QConv2D(conv.filters, conv.size, kernel_quantizer=kernel, **shared)(x)
            width = bits.width(f"conv{i}", POOL_BITS if i == len(self.convs) else None)
            x = QActivation(activation(width, RANGE_BITS), name=f"relu{i}")(x)
        x = layers.AveragePooling2D(self.pool, name="pool")(x)
        x = QActivation(activation(width, RANGE_BITS), name="pool_grid")(x)
        x = layers.Flatten(name="flatten")(x)
        kernel = bits.kernel("logits", edge=True)
        x = QDense(
            self.classes, kernel_quantizer=kernel, bias_quantizer=bias_quantizer(), name="logits"
        )(x)
        x = QActivation(signed(LOGIT_BITS), name="logits_grid")(x)
        return bits.applied_to(keras.Model(inputs, x, name=f"{self.name}_{bits.name}"))


def separable(filters: int, stride: int = 1) -> tuple[Conv, Conv]:
    """A depthwise 3x3 convolution and the 1x1 convolution after it."""
    return Conv(None, strides=(stride, stride)), Conv(filters, (1, 1))
