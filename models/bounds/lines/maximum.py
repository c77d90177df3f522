"""MAX_POOL_2D between two linear bounds.

A maximum is at least any one of what it is taken of: the element that is largest at the middle of
its box. It is that element where no other can pass it, and else at most the largest upper end.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyrobust.core.abi.plan import Pool
from tinyrobust.models.bounds import products
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.twin.requantize import Tensor

_NEVER = -float(1 << 20)
"""Below every activation: padding, which is never the largest."""


@dataclass(frozen=True)
class Maximum:
    """What is known of each window over a batch of boxes; n samples, ``size`` outputs."""

    op: Pool
    chosen: Tensor
    """float64 [n, out_h, out_w, window, channels]: 1 for the chosen element of each window."""
    alone: Tensor
    """float64 [n, size]: 1 where no other element can pass it."""
    low: Tensor
    high: Tensor
    """Ends of the maximum before its clamp, float64 [n, size]."""

    def backward(self, up: Tensor, down: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Carries coefficients of the maximum back to its inputs.

        Those above 0, ``up``, and those below, ``down``, [n, q, out] of the maximum, become [n, q,
        ``size``] of the inputs, and what those below add without them, [n, q].
        """
        n, q = tf.unstack(tf.shape(up)[:2])
        c = up + down * self.alone[:, None]
        constant = tf.linalg.matvec(down, (1 - self.alone) * self.high)
        shape = (n, q, self.op.out_h, self.op.out_w, 1, self.op.channels)
        each = tf.reshape(c, shape) * self.chosen[:, None]
        each = tf.reshape(each, (-1, *self.chosen.shape[1:]))
        x = tf.zeros((n * q, size), c.dtype)
        with tf.GradientTape() as tape:
            tape.watch(x)
            seen = products.patches(self.op, x, 0.0)
        return tf.reshape(tape.gradient(seen, x, each), (n, q, size)), constant


def maximum(op: Pool, box: tuple[Tensor, Tensor]) -> Maximum:
    """For a batch of boxes, float64 [n, in] each."""
    low, high = (products.patches(op, end, _NEVER) for end in box)
    window = op.k_h * op.k_w
    chosen = tf.one_hot(tf.argmax(low + high, 3), window, axis=3, dtype=tf.float64)
    own = tf.reduce_sum(low * chosen, 3)
    others = tf.reduce_max(high * (1 - chosen) + 2 * _NEVER * chosen, 3)
    n = tf.shape(low)[0]
    alone = tf.reshape(tf.cast(own >= others, tf.float64), (n, -1))
    ends = (tf.reshape(tf.reduce_max(end, 3), (n, -1)) for end in (low, high))
    return Maximum(op, chosen, alone, *ends)
