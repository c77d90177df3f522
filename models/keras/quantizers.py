"""The quantizers of all recipes, which ``models/export/lower.py`` carries over bit for bit.

Weights: powers of two per output channel (``auto_po2``), symmetric. Activations: fixed grids that
round half away from zero. Biases: steps of 2**-7 in [-4, 4), never finer than the accumulator they
are added to.

QKeras computes ``x + (q - x)`` for its straight-through gradients, which misses q by a few float32
roundings; summed up by a convolution that turns ties the wrong way. The classes here put the result
back on its grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tinyrobust.core.errors import UsageError
from tinyrobust.models.keras.rounding import quantized_bits_away, quantized_relu_away
from tinyrobust.models.keras.tf import tf

from qkeras import quantized_bits, stochastic_binary  # isort: skip  (after keras.tf)
from qkeras import stochastic_ternary  # isort: skip

POOL_BITS = 7
"""Precision around an average pool: fine enough for an average, and with a zero point of 0.

With 8 bits it would be -128, and the chip, which rounds the sum of the int8 numbers away from
*their* zero, would round ties down.
"""


class quantized_bits_exact(quantized_bits):  # type: ignore[misc]  # noqa: N801
    """``quantized_bits`` whose values are exactly on its grid."""

    def __call__(self, x: Any) -> Any:
        """Quantizes ``x`` with a straight-through gradient."""
        y = super().__call__(x)
        return on_grid(y, self.scale * 2.0 ** (self.integer - self.bits + int(self.keep_negative)))


_NO_END = 2.0**20
_FINEST = 2.0**-14
"""Step of a channel whose weights have all but vanished: with a finer one its bias would not fit
int32 on the accumulator's grid.
"""


class quantized_bits_covering(quantized_bits):  # type: ignore[misc]  # noqa: N801
    """``quantized_bits`` on the finest power-of-two grid that clips no weight.

    Each output channel has its own.

    QKeras's own choice (``auto_po2``) minimizes the squared error and clips the largest weights for
    it. An interval bound feels each of them: clipped, the first layer alone costs a certified
    network several points.
    """

    def __init__(self, bits: int) -> None:
        super().__init__(bits, 0, 1, alpha="auto_po2")

    def max(self) -> float:
        """What QKeras's layers clip their kernels to after every update: nothing, as it were.

        The stock quantizer's 1 would cut kernels that were scaled to fit the grids around them.
        """
        return _NO_END

    def __call__(self, x: Any) -> Any:
        """Quantizes ``x`` [..., channels] with a straight-through gradient."""
        end = 2.0 ** (self.bits - 1) - 1
        largest = tf.reduce_max(tf.abs(x), axis=list(range(len(x.shape) - 1)), keepdims=True)
        # float32's logarithm may be off where it is a whole number: one step more or less fits too.
        exponent = tf.math.ceil(tf.math.log(tf.maximum(largest, 1e-30) / end) / math.log(2.0))
        self.scale = tf.stop_gradient(tf.maximum(2.0**exponent, _FINEST))
        steps = tf.clip_by_value(tf.round(x / self.scale), -end, end)
        return on_grid(x + tf.stop_gradient(steps * self.scale - x), self.scale)

    def get_config(self) -> dict[str, Any]:
        """What Keras writes beside a saved network."""
        return {"bits": self.bits}


class stochastic_ternary_exact(stochastic_ternary):  # type: ignore[misc]  # noqa: N801
    """``stochastic_ternary`` whose values are exactly -a, 0 and a."""

    def __call__(self, x: Any) -> Any:
        """Quantizes ``x`` with a straight-through gradient."""
        y = super().__call__(x)
        return on_grid(y, self.scale)


class stochastic_binary_exact(stochastic_binary):  # type: ignore[misc]  # noqa: N801
    """``stochastic_binary`` whose values are exactly -a and a."""

    def __call__(self, x: Any) -> Any:
        """Quantizes ``x`` with a straight-through gradient."""
        y = super().__call__(x)
        return on_grid(y, self.scale)


def on_grid(y: Any, step: Any) -> Any:
    """The multiple of ``step`` nearest to ``y``, with the gradient of ``y``.

    It is 0 where ``step`` is 0.
    """
    nearest = tf.stop_gradient(tf.round(tf.math.divide_no_nan(y, step)) * step)
    return nearest + (y - tf.stop_gradient(y))  # the bracket is exactly 0


Make = Callable[[], Any]


def weights(bits: int) -> Make:
    """``quantized_bits`` of ``bits`` with a power-of-two scale per output channel."""
    return lambda: quantized_bits_exact(bits, 0, 1, alpha="auto_po2")


def covering(bits: int) -> Make:
    """``bits`` with a power-of-two scale per output channel that clips none of its weights."""
    return lambda: quantized_bits_covering(bits)


def depthwise(bits: int) -> Make:
    """A quantizer of depthwise kernels [h, w, channels, 1], with a scale per channel."""
    return lambda: quantized_bits_exact(bits, 0, 1, alpha="auto_po2", scale_axis=2)


def ternary_weights() -> Any:
    """S3's stochastic ternary weights: -a, 0 and a, where a is a power of two.

    They are random in training, deterministic at inference.
    """
    return stochastic_ternary_exact(alpha="auto_po2")


def binary_weights() -> Any:
    """S3's stochastic binary weights: -a and a, where a is a power of two.

    They are random in training, deterministic at inference.
    """
    return stochastic_binary_exact(alpha="auto_po2")


@dataclass(frozen=True)
class LayerBits:
    """One layer's own widths.

    They are the quantizer of its weights, and the bits of the activation after it; None is the
    network's.
    """

    weights: Make | None = None
    activations: int | None = None


@dataclass(frozen=True)
class Bits:
    """The precision of a network: weights inside, depthwise ones, first and last, activations.

    Activations are given in bits.

    A depthwise filter has nine weights, too few for less than 4 bits. ``layers`` maps names of
    layers with weights to what is different there.
    """

    name: str
    weights: Make
    depthwise_weights: Make
    edge_weights: Make
    activations: int
    layers: Mapping[str, LayerBits] = field(default_factory=dict)

    def kernel(self, layer: str, *, edge: bool = False) -> Any:
        """A quantizer for the weights of ``layer``; ``edge``: it is the first or the last one."""
        return (self._own(layer).weights or (self.edge_weights if edge else self.weights))()

    def depthwise_kernel(self, layer: str) -> Any:
        """A quantizer for the weights of depthwise ``layer``."""
        return (self._own(layer).weights or self.depthwise_weights)()

    def width(self, layer: str, usual: int | None = None) -> int:
        """Bits of the activation after ``layer``.

        ``usual`` is for a network that has a reason for others than its own.
        """
        return self._own(layer).activations or usual or self.activations

    def applied_to(self, model: Any) -> Any:
        """``model`` itself.

        Raises UsageError naming an entry of ``layers`` that fits none of its layers.
        """
        known = {layer.name: layer for layer in model.layers}
        for name, own in self.layers.items():
            if name not in known:
                raise UsageError(f"bits {self.name}: network {model.name} has no layer {name}")
            after = known[name].outbound_nodes[0].outbound_layer
            if own.activations not in (None, after.quantizer.bits):
                raise UsageError(
                    f"bits {self.name}: the grid after layer {name} of {model.name} is fixed"
                )
        return model

    def _own(self, layer: str) -> LayerBits:
        return self.layers.get(layer, LayerBits())


def heterogeneous(name: str, base: Bits, **layers: LayerBits) -> Bits:
    """``base`` with other widths in the layers that are given by their names.

    For example ``conv2=LayerBits(weights(2), activations=5)``.
    """
    return replace(base, name=name, layers={**base.layers, **layers})


W8 = Bits("w8a8", weights(8), depthwise(8), weights(8), 8)
W4 = Bits("w4a4", weights(4), depthwise(4), weights(6), 4)
W2 = Bits("w2a4", weights(2), depthwise(4), weights(6), 4)
TERNARY = Bits("ternary", ternary_weights, depthwise(4), weights(6), 4)
BINARY = Bits("binary", binary_weights, depthwise(4), weights(6), 4)


def activation(bits: int, integer: int) -> Any:
    """Unsigned, ``bits`` wide, 0 to just below 2**integer."""
    return quantized_relu_away(bits, integer)


def signed(integer: int) -> Any:
    """8 bits, -2**integer to just below 2**integer."""
    return quantized_bits_away(8, integer, 0, alpha=1.0)


def bias_quantizer() -> Any:
    """10 bits, -4 to just below 4."""
    return quantized_bits_exact(10, 2, 0, alpha=1.0)
