"""Networks that are a plain chain of dense layers.

One description is built in float32 and quantized.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyrobust.models.keras.quantizers import Bits, activation, bias_quantizer, signed
from tinyrobust.models.keras.tf import keras
from tinyrobust.models.networks.chain import LOGIT_BITS, RANGE_BITS

from qkeras import QActivation, QDense  # isort: skip  (after tinyrobust.models.keras.tf)


@dataclass(frozen=True)
class DenseChain:
    """A chain of dense layers: hidden ones with ReLU, and linear outputs.

    ``hidden`` are widths (``dense1`` ...), followed by batch norms if ``norms``; ``outputs`` is the
    width of the last layer.
    """

    name: str
    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    norms: bool

    def build_float(self) -> Any:
        """float32, inputs [n, inputs] in [-1, 1) to [n, outputs]."""
        layers = keras.layers
        x = inputs = layers.Input((self.inputs,), name="image")
        for i, width in enumerate(self.hidden, 1):
            x = layers.Dense(width, name=f"dense{i}")(x)
            x = layers.BatchNormalization(name=f"norm{i}")(x) if self.norms else x
            x = layers.ReLU(name=f"relu{i}")(x)
        return keras.Model(
            inputs, layers.Dense(self.outputs, name="logits")(x), name=f"{self.name}_float32"
        )

    def build_qat(self, bits: Bits) -> Any:
        """The network in ``bits``: quantized weights and activations, no batch norms."""
        layers = keras.layers
        x = inputs = layers.Input((self.inputs,), name="image")
        for i, width in enumerate(self.hidden, 1):
            kernel = bits.kernel(f"dense{i}", edge=i == 1)
            x = QDense(
                width, kernel_quantizer=kernel, bias_quantizer=bias_quantizer(), name=f"dense{i}"
            )(x)
            x = QActivation(activation(bits.width(f"dense{i}"), RANGE_BITS), name=f"relu{i}")(x)
        kernel = bits.kernel("logits", edge=True)
        x = QDense(
            self.outputs, kernel_quantizer=kernel, bias_quantizer=bias_quantizer(), name="logits"
        )(x)
        x = QActivation(signed(LOGIT_BITS), name="logits_grid")(x)
        return bits.applied_to(keras.Model(inputs, x, name=f"{self.name}_{bits.name}"))
