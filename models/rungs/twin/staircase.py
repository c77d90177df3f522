"""Requantization without integers: the same staircase of levels in float64.

It is used where it is proven to be exact.

Let ``v = x * factor``. Both fixed-point roundings of TFLite are floors of ``v`` plus constants that
depend on the sign of ``v`` at most (nested floors of quotients are one floor). In units of the
factor's last bit, every number up to the clamp's ends is an integer; as long as those stay within
2**53, float64 rounds nothing there. Beyond the ends it may, but rounding never turns an order
round: what lies outside the clamp stays outside it. Two to three times as fast as int64, which has
no vector multiplication or shift on most processors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.twin.requantize import (
    Factor,
    Multiply,
    Output,
    Tensor,
    multiply,
    multiply_once,
    once_reduced,
)

_BITS = 53
"""float64 holds every integer up to 2**53."""


@dataclass(frozen=True)
class Staircase:
    """``floor(v + away * sign(v) + offset)`` with ``v = x * slope``.

    Each number is one, or one per channel.
    """

    slope: NDArray[np.float64]
    away: NDArray[np.float64]
    offset: NDArray[np.float64]

    def __call__(self, x: Tensor) -> Tensor:
        """float64 ``x`` of integers -> float32 of integers, not yet clamped."""
        v = x * self.slope
        if self.away.any():
            v += self.away * tf.sign(v)
        return tf.cast(tf.floor(v + self.offset), tf.float32)


def twice(factor: Factor, out: Output) -> Staircase | None:
    """The staircase of ``multiply``, or None where it is not exact.

    It rounds half up to the high product, then ties of that away from zero.
    """
    right = np.maximum(-factor.shift, 0)
    # A shift to the left drops bits of large values: no staircase.
    if (factor.shift > 0).any() or not _fits(31 + right, out):
        return None
    half_product = np.ldexp(1.0, -(right + 1).astype(np.int32))
    half = np.where(right > 0, 0.5, 0.0)
    # High products below zero are rounded with one less: half a product up becomes half a product
    # down.
    if out.low >= out.zero_point:
        # Their levels, 0 at most, are all clamped: they may be rounded as the others are.
        return Staircase(factor.real, np.zeros(()), half + half_product + out.zero_point)
    away = np.where(right > 0, half_product, 0.0)
    return Staircase(factor.real, away, half + half_product - away + out.zero_point)


def once(factor: Factor, out: Output) -> Staircase | None:
    """The staircase of ``multiply_once``, which rounds half up, or None where it is not exact."""
    reduced, by = once_reduced(factor)
    if not _fits(by, out):
        return None
    slope = np.ldexp(reduced.astype(np.float64), -by.astype(np.int32))
    return Staircase(slope, np.zeros(()), np.asarray(0.5 + out.zero_point))


def _fits(bits: NDArray[np.int64], out: Output) -> bool:
    """Whether every sum up to two levels beyond the clamp's ends is exact in float64.

    That is, whether all of them are integers of 2**-bits within 2**53.
    """
    farthest = max(abs(out.low), abs(out.high)) + 2 * abs(out.zero_point) + 2
    return bool((bits >= 0).all()) and farthest << int(bits.max()) <= 1 << _BITS


@dataclass(frozen=True)
class Rounding:
    """One way to round a product: in int64 always, and as a staircase where there is one."""

    multiply: Multiply
    staircase: Callable[[Factor, Output], Staircase | None]


TWICE = Rounding(multiply, twice)
"""From int32 sums."""
ONCE = Rounding(multiply_once, once)
"""From int64 sums."""


def requantize(acc: Tensor, factor: Factor, out: Output, rounding: Rounding = TWICE) -> Tensor:
    """``clamp(acc * factor + zero_point)`` of integers held in float32 or float64; float32.

    The gradient is that of the real-valued expression where the clamp is open, and 0 where it is
    shut.
    """
    staircase = rounding.staircase(factor, out)

    def straight_through(acc: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        if staircase:
            value = staircase(tf.cast(acc, tf.float64))
        else:
            value = tf.cast(
                rounding.multiply(tf.cast(acc, tf.int64), factor) + out.zero_point, tf.float32
            )
        y = tf.clip_by_value(value, float(out.low), float(out.high))

        def gradient(upstream: Tensor) -> Tensor:
            is_open = tf.cast(tf.equal(value, y), tf.float32)
            return tf.cast(upstream * is_open * tf.constant(factor.real, tf.float32), acc.dtype)

        return y, gradient

    return tf.custom_gradient(straight_through)(acc)
