"""What keeps boxes tight and ReLUs balanced while their size grows: Shi et al. 2021
(arXiv:2103.17268), sections 3.2 and 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyrobust.models.keras.tf import tf
from tinyrobust.models.training.certified.intervals import Reached

Tensor = Any
TOLERANCE = 0.5
"""Ratios from here to 1 cost nothing (the paper's tau)."""
_TINY = 1e-12


def tightness(sums: Sequence[Reached]) -> Tensor:
    """Mean over the layers of how far the input's mean radius over theirs falls short of the
    tolerance, in shares of it: 0 where no layer widens boxes by more than its inverse.
    """
    first = tf.reduce_mean(sums[0].radius)
    shortfalls = [
        _shortfall(first / tf.maximum(tf.reduce_mean(at.radius), _TINY)) for at in sums[1:]
    ]
    return _mean(shortfalls)


def balance(sums: Sequence[Reached]) -> Tensor:
    """Mean over the layers of how unequal active and inactive neurons are, in the means of their
    centers and in their shares of the variance; a layer without one of them counts nothing.
    """
    return _mean([_unbalanced(at) for at in sums[1:]])


def _mean(losses: Sequence[Tensor]) -> Tensor:
    """0 where a network has no hidden layer."""
    return tf.add_n(losses) / len(losses) if losses else tf.constant(0.0)


def _unbalanced(at: Reached) -> Tensor:
    center = at.center
    active = tf.cast(at.low > 0, center.dtype)
    inactive = tf.cast(at.high < 0, center.dtype)
    deviation = tf.square(center - tf.reduce_mean(center))
    means = tf.reduce_sum(center * active), -tf.reduce_sum(center * inactive)
    variances = tf.reduce_sum(deviation * active), tf.reduce_sum(deviation * inactive)
    both = tf.logical_and(tf.reduce_any(active > 0), tf.reduce_any(inactive > 0))
    loss = _shortfall(_ratio(*means)) + _shortfall(_ratio(*variances))
    return tf.where(both, loss, 0.0)


def _ratio(a: Tensor, b: Tensor) -> Tensor:
    """The smaller over the larger, 0 to 1."""
    return tf.minimum(a, b) / tf.maximum(tf.maximum(a, b), _TINY)


def _shortfall(ratio: Tensor) -> Tensor:
    return tf.nn.relu(TOLERANCE - ratio) / TOLERANCE
