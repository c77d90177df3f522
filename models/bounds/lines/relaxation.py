"""Two lines around ``y = clamp(round(z))`` over an interval of ``z``.

With ``v = z + d``, where ``d`` bounds the rounding error, ``y <= clamp(v)``; with ``w = z - d``,
``y >= clamp(w)``. Between the least and the largest value ``lo`` and ``hi`` that ``y`` is known to
take, every line

    y <= hi + s (v - hi)    with 0 <= s <= min(1, (hi - lo) / (hi - v_min)),
    y >= lo + s (w - lo)    with 0 <= s <= min(1, (hi - lo) / (w_max - lo))

holds: it passes the corner where the clamp begins, is no steeper than the staircase, and at the
far end has not yet come down to ``lo`` (up to ``hi``). This is every case of CROWN's relaxation
(Zhang et al., arXiv:1811.00866) at once: clamp off (``lo = hi``: constant), on (``s`` = 1), lower
end open, upper end open, and both. Which ``s``: the steepest where it leaves less area below
(above) the line than the constant, the adaptive choice of that paper. As all are valid, the slopes
may also be optimised for one decision (``slopes.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyrobust.models.bounds.lines.affine import Float64Array
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.twin.requantize import Tensor

_SHRINK = 1 - 2.0**-40
"""Slopes are computed in float64: so much less steep, none is too steep by rounding."""


@dataclass(frozen=True)
class Staircase:
    """What lines are drawn around: where ``z`` and ``y`` lie, and how steep a line may be.

    float64 [n, size] each.
    """

    error: Float64Array | float
    y: tuple[Tensor, Tensor]
    steepest: tuple[Tensor, Tensor]
    """Of the lower and of the upper line."""
    chosen: tuple[Tensor, Tensor]
    """1 where the lower (upper) line is taken as steep as it may be, 0 where it is constant."""


@dataclass(frozen=True)
class Lines:
    """``lower_slope * z + lower <= y <= upper_slope * z + upper``.

    float64 [n, size], or [n, q, size] where each of q expressions has lines of its own.
    """

    lower_slope: Tensor
    lower: Tensor
    upper_slope: Tensor
    upper: Tensor


def staircase(
    error: Float64Array | float, z: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]
) -> Staircase:
    """Over ``z`` (least, largest) for ``y`` (least, largest), float64 [n, size] each.

    ``error``, one or one an element, bounds the distance of the rounded ``z`` from ``z``.
    """
    low, high = y
    v = (z[0] + error, z[1] + error)
    w = (z[0] - error, z[1] - error)
    rise = high - low
    # A chord counts only where v (w) leaves [lo, hi]; the maximum with ``rise`` is that, and it
    # keeps the divisor above 0 wherever ``rise`` is.
    upper = tf.math.divide_no_nan(rise, tf.maximum(high - v[0], rise)) * _SHRINK
    lower = tf.math.divide_no_nan(rise, tf.maximum(w[1] - low, rise)) * _SHRINK
    chosen = (
        tf.cast(w[0] + w[1] > 2 * low, tf.float64),
        tf.cast(v[0] + v[1] < 2 * high, tf.float64),
    )
    return Staircase(error, y, (lower, upper), chosen)


def drawn(around: Staircase, share: tuple[Tensor, Tensor]) -> Lines:
    """Lines at a ``share`` (0 to 1) of their steepest slopes, lower and upper.

    [n, size] each, or [n, q, size].
    """
    steepest, ends = around.steepest, around.y
    if len(share[0].shape) == 3:
        steepest = (steepest[0][:, None], steepest[1][:, None])
        ends = (ends[0][:, None], ends[1][:, None])
    lower, upper = steepest[0] * share[0], steepest[1] * share[1]
    return Lines(
        lower,
        ends[0] * (1 - lower) - lower * around.error,
        upper,
        ends[1] * (1 - upper) + upper * around.error,
    )


def lines(around: Staircase) -> Lines:
    """The lines that are chosen without a look at what they are for."""
    return drawn(around, around.chosen)
