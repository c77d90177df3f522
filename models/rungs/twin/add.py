"""ADD of the twin.

Both inputs are brought to a common finer scale, then their sum to the output's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.abi.plan import S16, Add
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.twin.requantize import Factor, Tensor, multiply


def add(op: Add, x1: Tensor, x2: Tensor) -> Tensor:
    """ADD of float32 integers of the same shape; a table of all pairs for int8."""
    m1, m2, m_out = _factors(op)
    unit = 1 << op.left_shift
    slope1, slope2 = (float(m.real * m_out.real) * unit for m in (m1, m2))

    def straight_through(x1: Tensor, x2: Tensor) -> tuple[Tensor, Any]:
        value = (
            tf.cast(_sum(op, x1, x2), tf.float32) if op.head.kind in S16 else _looked_up(op, x1, x2)
        )
        y = tf.clip_by_value(value, float(op.act_min), float(op.act_max))

        def gradient(upstream: Tensor) -> tuple[Tensor, Tensor]:
            through = upstream * tf.cast(tf.equal(value, y), tf.float32)
            return through * slope1, through * slope2

        return y, gradient

    return tf.custom_gradient(straight_through)(x1, x2)


def _factors(op: Add) -> tuple[Factor, Factor, Factor]:
    return (
        Factor.of(op.input1_multiplier, op.input1_shift),
        Factor.of(op.input2_multiplier, op.input2_shift),
        Factor.of(op.output_multiplier, op.output_shift),
    )


def _sum(op: Add, x1: Tensor, x2: Tensor) -> Tensor:
    """int64, not yet clamped."""
    m1, m2, m_out = _factors(op)
    unit = 1 << op.left_shift
    a = multiply((tf.cast(x1, tf.int64) + op.input1_offset) * unit, m1)
    b = multiply((tf.cast(x2, tf.int64) + op.input2_offset) * unit, m2)
    return multiply(a + b, m_out) + op.output_offset


def _looked_up(op: Add, x1: Tensor, x2: Tensor) -> Tensor:
    """``_sum`` of int8 values, from its values for all 65536 pairs; float32."""
    return tf.gather(tf.constant(_table(op)), tf.cast(x1 * 256 + x2 + (128 * 256 + 128), tf.int32))


def _table(op: Add) -> NDArray[np.float32]:
    levels = np.arange(-128, 128)
    with tf.init_scope():  # numbers now, not nodes of the graph that is being traced
        sums: NDArray[np.float32] = (
            _sum(op, np.repeat(levels, 256), np.tile(levels, 256)).numpy().astype(np.float32)
        )
    return sums
