"""Fixed-point requantization on TensorFlow tensors, in int64: what it is by definition.

``MultiplyByQuantizedMultiplier`` of gemmlowp and TFLite, number for number: a saturating rounding
doubling high multiply, then a rounding shift to the right (ties away from zero). Its two roundings
are what makes an int8 network differ from its own real-valued reading, so they are carried out in
int64 and never approximated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyrobust.models.keras.tf import tf

Tensor = Any
"""A ``tf.Tensor``. TensorFlow ships no types that mypy --strict can use."""


@dataclass(frozen=True)
class Factor:
    """Factors ``q31 * 2**(shift - 31)``, one or one per channel.

    Both are int64 arrays of the same shape, () or [channels].
    """

    q31: NDArray[np.int64]
    shift: NDArray[np.int64]

    @classmethod
    def of(cls, q31: int | NDArray[Any], shift: int | NDArray[Any]) -> Factor:
        """The factors of a plan's numbers."""
        return cls(np.asarray(q31, np.int64), np.asarray(shift, np.int64))

    @property
    def real(self) -> NDArray[np.float64]:
        """The factor it stands for."""
        return np.ldexp(self.q31.astype(np.float64), self.shift.astype(np.int32) - 31)


@dataclass(frozen=True)
class Output:
    """Where requantized values go: ``clamp(value + zero_point, low, high)``."""

    zero_point: int
    low: int
    high: int


Multiply = Callable[[Tensor, Factor], Tensor]


def multiply(x: Tensor, factor: Factor) -> Tensor:
    """``x`` times ``factor``, rounded as TFLite does it.

    ``x`` is int64 (within int32), and so is the product, of the same shape.
    """
    left, right = np.maximum(factor.shift, 0), np.maximum(-factor.shift, 0)
    if left.any():
        # The kernels shift in int32, where the top bits are lost.
        x = tf.cast(tf.cast(x * (1 << left), tf.int32), tf.int64)
    # gemmlowp's sign-dependent nudge and truncating division are together a floor; q31 is never
    # -2**31, so nothing can saturate.
    high = tf.bitwise.right_shift(x * factor.q31 + (1 << 30), np.int64(31))
    if not right.any():
        return high
    # Ties go away from zero: one less for negative values, where there is anything to round.
    away = tf.bitwise.right_shift(high, np.int64(63)) * (right > 0).astype(np.int64)
    return tf.bitwise.right_shift(
        high + (1 << right >> 1) + away, tf.broadcast_to(right, tf.shape(high))
    )


def multiply_once(x: Tensor, factor: Factor) -> Tensor:
    """``x`` times ``factor`` cut to 15 bits, rounded once: TFLite's way from int64 sums.

    ``x`` is int64 (within 48 bits).
    """
    reduced, by = once_reduced(factor)
    return tf.bitwise.right_shift(x * reduced + (1 << (by - 1)), tf.broadcast_to(by, tf.shape(x)))


def once_reduced(factor: Factor) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """``factor`` cut to 15 bits as ``reduced * 2**-by``."""
    reduced = np.where(factor.q31 < 0x7FFF0000, (factor.q31 + (1 << 15)) >> 16, np.int64(0x7FFF))
    return reduced, 15 - factor.shift


def clamp(value: Tensor, out: Output) -> tuple[Tensor, Tensor]:
    """int64 ``value`` brought to the output, and where its clamp is open (1 or 0); both float32."""
    y = value + out.zero_point
    clamped = tf.clip_by_value(y, out.low, out.high)
    return tf.cast(clamped, tf.float32), tf.cast(tf.equal(y, clamped), tf.float32)
