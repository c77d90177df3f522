"""A QKeras activation quantizer as an integer grid.

It says what the int8 tensor of the activation must be able to say, and nothing more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tinyrobust.models.keras.rounding import quantized_bits_away, quantized_relu_away

from qkeras import quantized_bits, quantized_relu  # isort: skip  (after tinyrobust.models.keras.tf)


@dataclass(frozen=True)
class Grid:
    """The real values ``k * scale`` for whole k in [low, high], at most 256 of them."""

    scale: float
    low: int
    high: int

    @property
    def one_stage(self) -> bool:
        """Whether one int8 tensor clamps at both ends by itself.

        It does so by saturation, or at zero by a fused RELU.
        """
        return self.low == 0 or self.high - self.low == 255

    @property
    def high_zero_point(self) -> int:
        """Zero point with ``high`` at 127, so that saturation is the upper clamp."""
        return 127 - self.high

    @property
    def low_zero_point(self) -> int:
        """Zero point with ``low`` at -128, so that saturation is the lower clamp."""
        return -128 - self.low

    @property
    def zero_point(self) -> int:
        """Zero point of the finished tensor."""
        return self.high_zero_point if self.one_stage else self.low_zero_point

    @property
    def fused(self) -> str:
        """Fused activation of the operator that writes the tensor."""
        return "RELU" if self.low == 0 else "NONE"


def grid_of(quantizer: Any) -> Grid:
    """The grid of ``quantized_relu`` or ``quantized_bits`` with a fixed scale.

    Raises ValueError with the reason.
    """
    kind = type(quantizer)
    if kind in (quantized_relu, quantized_relu_away):
        return _relu(quantizer)
    if kind in (quantized_bits, quantized_bits_away):
        return _bits(quantizer)
    name = getattr(quantizer, "__name__", kind.__name__)
    raise ValueError(
        f"activation {name} has no exact int8 form; use quantized_relu or quantized_bits"
    )


def rounds_half_away(quantizer: Any) -> bool:
    """Whether ties are rounded as TFLite rounds them."""
    return isinstance(quantizer, quantized_relu_away | quantized_bits_away)


def _relu(q: Any) -> Grid:
    if float(q.negative_slope) or q.use_sigmoid:
        raise ValueError("quantized_relu with a negative slope or sigmoid has no exact int8 form")
    bits, integer = _small(q.bits, 1, 8), int(q.integer)
    scale = math.ldexp(1, integer - bits)
    high = (1 << bits) - 1
    if q.relu_upper_bound and not q.is_quantized_clip:
        steps = float(q.relu_upper_bound) / scale
        if steps != int(steps) or steps < 1:
            raise ValueError(
                f"relu_upper_bound {q.relu_upper_bound} is not on the quantizer's grid of {scale}"
            )
        high = min(high, int(steps))
    return Grid(scale, 0, high)


def _bits(q: Any) -> Grid:
    if isinstance(q.alpha, str) or (q.alpha is not None and float(q.alpha) != 1):
        raise ValueError(
            f"an activation needs a fixed grid: quantized_bits with alpha=1, not {q.alpha!r}"
        )
    keep = bool(q.keep_negative)
    bits = _small(q.bits, 2 if keep else 1, 8)
    unsigned = bits - keep
    scale = math.ldexp(1, int(q.integer) - unsigned)
    low = -(1 << unsigned) + int(bool(q.symmetric)) if keep else 0
    return Grid(scale, low, (1 << unsigned) - 1)


def _small(bits: Any, low: int, high: int) -> int:
    if not low <= int(bits) <= high:
        raise ValueError(f"{int(bits)} bits do not fit int8 activations ({low} to {high})")
    return int(bits)
