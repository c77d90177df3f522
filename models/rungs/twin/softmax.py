"""SOFTMAX int8 as TFLite's reference kernel computes it, in gemmlowp's fixed point.

It takes its exponentials from a table of 256.

Source of the arithmetic: ``exp_on_negative_values`` and ``one_over_one_plus_x_for_x_in_0_1`` of
gemmlowp's ``fixedpoint.h`` (after Newton-Raphson division, three steps) and TFLite's
``reference/softmax.h``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.abi.plan import Softmax
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.twin.requantize import Output, Tensor, clamp

_ONE = (1 << 31) - 1
"""1 in Q0.31, saturated."""
_SUM_BITS = 12
"""Integer bits of the sum of exponentials (Q12.19)."""
_OUTPUT = Output(-128, -128, 127)


def softmax(x: Tensor, op: Softmax) -> Tensor:
    """SOFTMAX on float32 [..., row_size] of int8 values, to float32 of int8 values.

    The gradient is that of the real softmax.
    """
    exps = exponentials(op)
    sharpness = input_scale(op)

    def straight_through(x: Tensor) -> tuple[Tensor, Any]:
        below = tf.cast(tf.reduce_max(x, -1, keepdims=True) - x, tf.int32)
        e = tf.gather(tf.constant(exps), below)
        total = tf.reduce_sum(
            tf.gather(tf.constant(_rounding_shift(exps, _SUM_BITS)), below), -1, keepdims=True
        )
        scale, bits_over_unit = _reciprocal(total)
        y, _ = clamp(
            _rounding_shift_by(_high_product(scale, e), bits_over_unit + (31 - 8)), _OUTPUT
        )

        def gradient(upstream: Tensor) -> Tensor:
            p = tf.nn.softmax(x * sharpness)
            mean = tf.reduce_sum(upstream * p, -1, keepdims=True)
            return 256 * sharpness * p * (upstream - mean)

        return y, gradient

    return tf.custom_gradient(straight_through)(x)


def input_scale(op: Softmax) -> float:
    """``beta * scale`` of the input: what one level of it means to the exponential."""
    return math.ldexp(op.multiplier, op.shift - 31 - 26)


def exponentials(op: Softmax) -> NDArray[np.int64]:
    """``exp(-beta * scale * i)`` in Q0.31 for i = 0..255 levels below the row's largest.

    It is 0 below ``diff_min``.
    """
    levels = np.arange(256, dtype=np.int64)
    scaled = np.array([_scaled(-int(i), op) for i in levels], np.int64)
    return np.where(-levels >= op.diff_min, _exp_on_negative_values(scaled), 0)


def _scaled(diff: int, op: Softmax) -> int:
    """``MultiplyByQuantizedMultiplierGreaterThanOne``: Q5.26, cut to what int32 holds."""
    shifted = max(diff << op.shift, -(1 << 31))
    return (shifted * op.multiplier + (1 << 30)) >> 31


def _exp_on_negative_values(a: NDArray[np.int64]) -> NDArray[np.int64]:
    """``exp(a)`` of Q5.26 ``a`` <= 0, in Q0.31."""
    quarter = 1 << 24
    a_mod = (a & (quarter - 1)) - quarter
    result = _exp_between_minus_quarter_and_0(a_mod << 5)
    remainder = a_mod - a
    for exponent in range(-2, 5):
        factor = math.floor(math.exp(-(2.0**exponent)) * (1 << 31) + 0.5)
        bit = (remainder >> (26 + exponent)) & 1
        result = np.where(bit == 1, _high_product(result, factor), result)
    return np.where(a == 0, np.int64(_ONE), result)


def _exp_between_minus_quarter_and_0(a: NDArray[np.int64]) -> NDArray[np.int64]:
    """Taylor series around -1/8, Q0.31."""
    at = math.floor(math.exp(-0.125) * (1 << 31) + 0.5)
    third = math.floor((1 << 31) / 3 + 0.5)
    x = a + (1 << 28)
    x2 = _high_product(x, x)
    x3 = _high_product(x2, x)
    x4_over_4 = _rounding_shift(_high_product(x2, x2), 2)
    series = _rounding_shift(_high_product(x4_over_4 + x3, third) + x2, 1)
    result: NDArray[np.int64] = at + _high_product(np.int64(at), x + series)
    return result


def _reciprocal(total: Tensor) -> tuple[Tensor, Tensor]:
    """1 / ``total`` (Q12.19) as Q0.31 and the power of two it still has to be divided by."""
    bits = tf.reduce_sum(
        tf.cast(total[..., None] >= 1 << np.arange(31, dtype=np.int64), tf.int64), -1
    )
    leading_zeros = 32 - bits
    fraction = tf.bitwise.left_shift(total, leading_zeros) - (1 << 31)
    half_denominator = tf.bitwise.right_shift(fraction + _ONE + 1, np.int64(1))
    # Newton-Raphson on Q2.29.
    x = round(48 / 17 * (1 << 29)) + _high_product(half_denominator, round(-32 / 17 * (1 << 29)))
    for _ in range(3):
        error = (1 << 29) - _high_product(half_denominator, x)
        x += tf.bitwise.left_shift(_high_product(x, error), np.int64(2))
    # Half of x, as Q0.31: Q2.29 halved is Q1.30, which saturates into Q0.31 when shifted by one.
    return tf.minimum(x * 2, _ONE), _SUM_BITS - leading_zeros


def _high_product(a: Any, b: Any) -> Any:
    """``SaturatingRoundingDoublingHighMul`` without its one saturating case.

    That case cannot occur here.
    """
    product = a * b + (1 << 30)
    return tf.bitwise.right_shift(product, np.int64(31)) if tf.is_tensor(product) else product >> 31


def _rounding_shift(x: NDArray[np.int64], by: int) -> NDArray[np.int64]:
    """``RoundingDivideByPOT``: ties away from zero."""
    return (x + (1 << (by - 1)) - (x < 0)) >> by


def _rounding_shift_by(x: Tensor, by: Tensor) -> Tensor:
    """``RoundingDivideByPOT`` of ``x`` >= 0 by one power for each row."""
    by = tf.broadcast_to(by, tf.shape(x))
    half = tf.bitwise.left_shift(tf.ones_like(by), by - 1)
    return tf.bitwise.right_shift(x + half, by)
