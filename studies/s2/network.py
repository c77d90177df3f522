"""The 784-100-10 network of S2 in weights and biases of B bits, as trained and as flashed.

As trained, like the paper's: weights and biases are rounded to B bits in the forward pass, and
activations are float32. As flashed: the same weights, ReLU and logits on 8-bit grids. Weights of 9
and 10 bits are flashed with 8: the kernels take int8.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyrobust.core.types import FloatArray, TensorSpec
from tinyrobust.models.keras.quantizers import activation, quantized_bits_exact
from tinyrobust.models.keras.rounding import quantized_bits_away
from tinyrobust.models.keras.tf import keras

from qkeras import QActivation, QDense  # isort: skip  (after tinyrobust.models.keras.tf)

BITS = tuple(range(1, 11))
FLASHED_BITS = 8
"""The most that a weight of the deployed network has."""
SPEC = TensorSpec((28, 28, 1), 1 / 256, -128)
"""Pixels from 0 to just below 1."""


@dataclass(frozen=True)
class Grids:
    """Bits left of the binary point of the deployed activations: of ReLU's, and of the logits'."""

    hidden: int
    logits: int


def fixed_point(bits: int) -> Any:
    """A quantizer to ``bits`` bits on [-1, 1].

    Steps of 2**(1 - bits) from -1 to just below 1; with one bit the sign, which has no zero.
    """
    return quantized_bits_exact(bits, 0, 0, alpha=1.0)


def build(bits: int) -> Any:
    """As trained: images [n, 28, 28, 1] in [0, 1) to logits [n, 10]."""
    layers = keras.layers
    x = inputs = layers.Input(SPEC.shape, name="image")
    x = layers.Flatten(name="flatten")(x)
    x = layers.ReLU(name="relu1")(_dense(100, bits, "dense1")(x))
    return keras.Model(inputs, _dense(10, bits, "logits")(x), name=f"s2_{bits}bit")


def build_of(bits: int) -> Callable[[], Any]:
    """``build`` of so many bits as a function without arguments."""

    def built() -> Any:
        return build(bits)

    return built


def build_flashed(bits: int, grids: Grids) -> Any:
    """As flashed: the same inputs and outputs."""
    layers = keras.layers
    bits = min(bits, FLASHED_BITS)
    x = inputs = layers.Input(SPEC.shape, name="image")
    x = layers.Flatten(name="flatten")(x)
    x = QActivation(activation(8, grids.hidden), name="relu1")(_dense(100, bits, "dense1")(x))
    x = _dense(10, bits, "logits")(x)
    grid = quantized_bits_away(8, grids.logits, 0, alpha=1.0)
    x = QActivation(grid, name="logits_grid")(x)
    return keras.Model(inputs, x, name=f"s2_{bits}bit_flashed")


def grids_of(model: Any, images: FloatArray) -> Grids:
    """The narrowest grids that hold what the trained ``model`` answers on ``images``."""
    hidden = keras.Model(model.input, model.get_layer("relu1").output)
    largest = (
        float(np.abs(answer.predict(images, batch_size=500, verbose=0)).max())
        for answer in (hidden, model)
    )
    return Grids(*(max(0, math.ceil(math.log2(max(one, 1e-9)))) for one in largest))


def _dense(units: int, bits: int, name: str) -> Any:
    quantizers = {"kernel_quantizer": fixed_point(bits), "bias_quantizer": fixed_point(bits)}
    return QDense(units, name=name, **quantizers)
