"""SOFTMAX on int16 as TFLite's reference kernel ``SoftmaxInt16`` computes it.

It interpolates linearly in two tables.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyrobust.core.abi.plan import TABLE_ENTRIES, SoftmaxTable
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.plan.reader import Program
from tinyrobust.models.rungs.twin.requantize import Factor, Tensor, multiply

_INT16 = (-32768, 32767)


def softmax_table(p: Program, op: SoftmaxTable, x: Tensor) -> Tensor:
    """SOFTMAX on float32 [..., row_size] of int16 values, to float32 of 0..32767.

    The gradient is that of the real softmax.
    """
    exponential, reciprocal = (
        tf.constant(p.constant(at, np.int16, TABLE_ENTRIES).astype(np.int64))
        for at in (op.exponential, op.reciprocal)
    )
    factor, sharpness = Factor.of(op.multiplier, op.shift), input_scale(op)

    def straight_through(x: Tensor) -> tuple[Tensor, Any]:
        below = tf.cast(x - tf.reduce_max(x, -1, keepdims=True), tf.int64)
        e = _interpolated(exponential, multiply(below, factor) + 32767)
        total = tf.reduce_sum(e, -1, keepdims=True)
        bits = tf.reduce_sum(
            tf.cast(total[..., None] >= 1 << np.arange(31, dtype=np.int64), tf.int64), -1
        )
        # The sum, moved up to bit 30, as 1 + its fraction in 16 bits around 0.
        fraction = (
            tf.bitwise.right_shift(
                tf.bitwise.left_shift(total, 31 - bits) + (1 << 13), np.int64(14)
            )
            - 98304
        )
        inverse = _interpolated(reciprocal, fraction)
        by = tf.broadcast_to(bits - 1, tf.shape(e))
        half = tf.bitwise.left_shift(tf.ones_like(by), by - 1)
        y = tf.cast(
            tf.clip_by_value(tf.bitwise.right_shift(e * inverse + half, by), 0, 32767), tf.float32
        )

        def gradient(upstream: Tensor) -> Tensor:
            probability = tf.nn.softmax(x * sharpness)
            mean = tf.reduce_sum(upstream * probability, -1, keepdims=True)
            return 32768 * sharpness * probability * (upstream - mean)

        return y, gradient

    return tf.custom_gradient(straight_through)(x)


def input_scale(op: SoftmaxTable) -> float:
    """``beta * scale`` of the input: what one level of it means to the exponential."""
    return math.ldexp(op.multiplier, op.shift - 31) * 10 / 65535


def _interpolated(entries: Tensor, at: Tensor) -> Tensor:
    """``LUTLookup`` of int64 ``at``, saturated to int16.

    Nine bits choose the interval, seven the place in it.
    """
    at = tf.clip_by_value(at, *_INT16)
    index = tf.bitwise.right_shift(at, np.int64(7)) + 256
    base = tf.gather(entries, index)
    slope = tf.gather(entries, index + 1) - base
    return base + tf.bitwise.right_shift(
        slope * tf.bitwise.bitwise_and(at, np.int64(127)) + 64, np.int64(7)
    )
