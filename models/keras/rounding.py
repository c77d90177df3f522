"""Half-away-from-zero rounding as an option of QKeras activations.

With it training rounds as the chip does.

QKeras rounds ties to even (``tf.round``); TFLite's integer kernels round them away from zero. On
coarse grids ties are common: with stock rounding 2 to 3 % of a 4-bit network's predictions differ
from its own export.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tinyrobust.models.keras.tf import tf

from qkeras import quantizers  # isort: skip  (after tinyrobust.models.keras.tf)


def round_half_away(x: Any) -> Any:
    """``sign(x) * floor(|x| + 1/2)``, element by element."""
    return tf.sign(x) * tf.floor(tf.abs(x) + 0.5)


@contextmanager
def _rounding_half_away() -> Iterator[None]:
    """QKeras's quantizers round half away while this is open.

    Graphs keep what they were traced with.
    """

    def through(x: Any, use_stochastic_rounding: bool = False, precision: float = 0.5) -> Any:
        del precision
        if use_stochastic_rounding:
            raise ValueError("stochastic rounding of activations cannot be exported")
        return x + tf.stop_gradient(round_half_away(x) - x)

    stock = quantizers._round_through
    quantizers._round_through = through
    try:
        yield
    finally:
        quantizers._round_through = stock


class quantized_relu_away(quantizers.quantized_relu):  # noqa: N801  (QKeras naming)
    """``quantized_relu`` that rounds half away from zero."""

    def __call__(self, x: Any) -> Any:
        """Quantizes ``x`` with a straight-through gradient."""
        with _rounding_half_away():
            return super().__call__(x)


class quantized_bits_away(quantizers.quantized_bits):  # noqa: N801  (QKeras naming)
    """``quantized_bits`` that rounds half away from zero."""

    def __call__(self, x: Any) -> Any:
        """Quantizes ``x`` with a straight-through gradient."""
        with _rounding_half_away():
            return super().__call__(x)


CUSTOM_OBJECTS = {c.__name__: c for c in (quantized_relu_away, quantized_bits_away)}
"""For ``keras.models.load_model``."""
