"""The nearest point of a plane inside the image [0, 1]^d, in Linf or L2.

Whatever the norm, elements move in the direction that helps, each until it meets the image's
border, and how far the sum of their contributions has come is a concave, piecewise linear function
of one number t: the change of each element in Linf, its change per unit of slope in L2. Newton's
method climbs such a function from 0, never too far, in at most as many steps as it has pieces; in
practice a few.
"""

from __future__ import annotations

from tinyrobust.attacks.base.problem import Norm
from tinyrobust.attacks.gradients.graphs import Tensor
from tinyrobust.attacks.gradients.lazy import tf

NEWTON_STEPS = 12


def project(norm: Norm, at: Tensor, slope: Tensor, height: Tensor) -> Tensor:
    """The change of ``at`` [n, *shape] that brings ``height + slope * change`` nearest to 0.

    ``height`` is [n].
    """
    shape = tf.shape(at)
    at, slope = (tf.reshape(x, (shape[0], -1)) for x in (at, slope))
    way = -tf.sign(slope) * tf.sign(height)[:, None]
    room = tf.where(way > 0, 1 - at, at)
    pace = tf.ones_like(slope) if norm is Norm.LINF else tf.abs(slope)
    gain = tf.abs(slope) * pace
    t = tf.zeros_like(height)
    for _ in range(NEWTON_STEPS):
        moved = tf.minimum(t[:, None] * pace, room)
        missing = tf.maximum(tf.abs(height) - tf.reduce_sum(tf.abs(slope) * moved, 1), 0)
        rate = tf.reduce_sum(tf.where(moved < room, gain, 0.0), 1)
        t += tf.math.divide_no_nan(missing, rate)
    return tf.reshape(way * tf.minimum(t[:, None] * pace, room), shape)


def _linf(change: Tensor) -> Tensor:
    return tf.reduce_max(tf.abs(change), tuple(range(1, len(change.shape))))


def _l2(change: Tensor) -> Tensor:
    return tf.sqrt(tf.reduce_sum(change**2, tuple(range(1, len(change.shape)))))


LENGTHS = {Norm.LINF: _linf, Norm.L2: _l2}
"""Size of a change [n, *shape] in a norm: [n]."""
