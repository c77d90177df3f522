"""CNNa, the smallest convolutional network of the field's tables of certified robustness.

Two 4x4 convolutions of stride 2 with 16 and 32 filters, a dense layer of 100 and the logits: the
"small" network of Wong and Kolter 2018 (arXiv:1711.00851), CNNa of Li, Xie and Li's "SoK: Certified
Robustness for Deep Neural Networks" (arXiv:2009.04131). 166,406 weights on 28x28x1, 214,918 on
32x32x3. No batch norms, so that the quantized network is the same chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyrobust.models.keras.quantizers import (
    Bits,
    LayerBits,
    activation,
    bias_quantizer,
    covering,
    depthwise,
    signed,
)
from tinyrobust.models.keras.tf import keras

from qkeras import QActivation, QConv2D, QDense  # isort: skip  (after tinyrobust.models.keras.tf)

FILTERS = (16, 32)
UNITS = 100
EIGHT = Bits("w8a8", covering(8), depthwise(8), covering(8), 8, {"logits": LayerBits(covering(7))})
"""8 bits that are lowered bit for bit (a signed result needs a spare bit in its weights), and that
clip no weight.
"""


@dataclass(frozen=True)
class CnnA:
    """``ranges``: the three hidden activations stay below 2**range, the logits within 2**logits."""

    name: str
    shape: tuple[int, int, int]
    classes: int
    ranges: tuple[int, int, int]
    logits: int

    def build_float(self) -> Any:
        """float32, images [n, *shape] in [-1, 1) to logits [n, classes]."""
        layers = keras.layers
        x = inputs = layers.Input(self.shape, name="image")
        for i, filters in enumerate(FILTERS, 1):
            x = layers.Conv2D(filters, 4, 2, padding="same", name=f"conv{i}")(x)
            x = layers.ReLU(name=f"relu{i}")(x)
        x = layers.Flatten(name="flatten")(x)
        x = layers.ReLU(name="relu3")(layers.Dense(UNITS, name="dense")(x))
        x = layers.Dense(self.classes, name="logits")(x)
        return keras.Model(inputs, x, name=f"{self.name}_float32")

    def build_qat(self, bits: Bits) -> Any:
        """The same network, weights and activations quantized to ``bits``."""
        layers = keras.layers
        x = inputs = layers.Input(self.shape, name="image")
        for i, filters in enumerate(FILTERS, 1):
            x = QConv2D(
                filters,
                4,
                2,
                padding="same",
                kernel_quantizer=bits.kernel(f"conv{i}", edge=i == 1),
                bias_quantizer=bias_quantizer(),
                name=f"conv{i}",
            )(x)
            x = self._activation(bits, f"conv{i}", i)(x)
        x = layers.Flatten(name="flatten")(x)
        kernel = bits.kernel("dense")
        x = QDense(UNITS, kernel_quantizer=kernel, bias_quantizer=bias_quantizer(), name="dense")(x)
        x = self._activation(bits, "dense", 3)(x)
        kernel = bits.kernel("logits", edge=True)
        x = QDense(
            self.classes, kernel_quantizer=kernel, bias_quantizer=bias_quantizer(), name="logits"
        )(x)
        x = QActivation(signed(self.logits), name="logits_grid")(x)
        return bits.applied_to(keras.Model(inputs, x, name=f"{self.name}_{bits.name}"))

    def _activation(self, bits: Bits, layer: str, number: int) -> Any:
        return QActivation(
            activation(bits.width(layer), self.ranges[number - 1]), name=f"relu{number}"
        )


MNIST = CnnA("mnist_cnna", (28, 28, 1), 10, ranges=(2, 2, 2), logits=3)
CIFAR10 = CnnA("cifar10_cnna", (32, 32, 3), 10, ranges=(2, 2, 2), logits=2)
