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
(above) the line than the constant, the adaptive choice of that paper.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyrobust.models.bounds.affine import Float64Array
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.twin.requantize import Tensor

_SHRINK = 1 - 2.0**-40
"""Slopes are computed in float64: so much less steep, none is too steep by rounding."""


@dataclass(frozen=True)
class Lines:
    """``lower_slope * z + lower <= y <= upper_slope * z + upper``; float64 [n, size] each."""

    lower_slope: Tensor
    lower: Tensor
    upper_slope: Tensor
    upper: Tensor


def lines(error: Float64Array | float, z: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Lines:
    """The lines over ``z`` (least, largest) for ``y`` (least, largest), float64 [n, size] each.

    ``error``, one or one an element, bounds the distance of the rounded ``z`` from ``z``.
    """
    low, high = y
    v = (z[0] + error, z[1] + error)
    w = (z[0] - error, z[1] - error)
    rise = high - low
    # A chord counts only where v (w) leaves [lo, hi]; the maximum with ``rise`` is that, and it
    # keeps the divisor above 0 wherever ``rise`` is.
    upper_slope = tf.math.divide_no_nan(rise, tf.maximum(high - v[0], rise)) * _SHRINK
    lower_slope = tf.math.divide_no_nan(rise, tf.maximum(w[1] - low, rise)) * _SHRINK
    none = tf.zeros_like(rise)
    upper_slope = tf.where(v[0] + v[1] < 2 * high, upper_slope, none)
    lower_slope = tf.where(w[0] + w[1] > 2 * low, lower_slope, none)
    return Lines(
        lower_slope,
        low * (1 - lower_slope) - lower_slope * error,
        upper_slope,
        high * (1 - upper_slope) + upper_slope * error,
    )
