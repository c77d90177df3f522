"""The digits CNN at any precision, from 8 bits down to ternary.

The network is that of ``models/networks/digits_cnn.py``.
"""

from __future__ import annotations

from typing import Any

from tinyrobust.models.keras.quantizers import POOL_BITS, Bits, activation, bias_quantizer, signed
from tinyrobust.models.keras.tf import keras
from tinyrobust.models.networks import digits_cnn

from qkeras import QActivation, QConv2D, QDense  # isort: skip  (after tinyrobust.models.keras.tf)

build_float = digits_cnn.build_float


def build_qat(bits: Bits) -> Any:
    """The digits CNN with weights and activations quantized to ``bits``.

    Images [n, 8, 8, 1] in [-1, 1) to logits [n, 10].
    """
    layers = keras.layers
    x = inputs = layers.Input((8, 8, 1), name="image")
    for i, (filters, strides) in enumerate(((16, 1), (32, 2), (32, 1)), 1):
        x = QConv2D(
            filters,
            3,
            strides,
            padding="same",
            kernel_quantizer=bits.kernel(f"conv{i}", edge=i == 1),
            bias_quantizer=bias_quantizer(),
            name=f"conv{i}",
        )(x)
        width = bits.width(f"conv{i}", POOL_BITS if i == 3 else None)
        x = QActivation(activation(width, 2), name=f"relu{i}")(x)
    x = layers.AveragePooling2D(2, name="pool")(x)
    x = QActivation(activation(width, 2), name="pool_grid")(x)
    x = layers.Flatten(name="flatten")(x)
    kernel = bits.kernel("logits", edge=True)
    x = QDense(10, kernel_quantizer=kernel, bias_quantizer=bias_quantizer(), name="logits")(x)
    x = QActivation(signed(5), name="logits_grid")(x)
    return bits.applied_to(keras.Model(inputs, x, name=f"digits_{bits.name}"))
