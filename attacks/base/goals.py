"""Targeted goals: a source reduced to the question whether it gives the target class.

Seen so, a targeted attack is an untargeted one on two classes: 0 is every class but the target, 1
the target. Whatever an attack asks for, gradients, scores or decisions, it is asked of that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tinyrobust.attacks.base.lanes import side_by_side
from tinyrobust.attacks.base.searched import Searched, Tally
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import (
    Differentiable,
    FloatArray,
    Int64Array,
    IntArray,
    Prediction,
    Predictor,
    TensorSpec,
)

T = TypeVar("T")
LEAST_LIKELY = "least-likely"
"""The class that the source gives the smallest score at the clean sample, each sample its own."""


@dataclass(frozen=True)
class Goal:
    """What each sample shall be taken for: ``classes`` int64 [n].

    ``aim`` turns the problem's source to a class: one source serves all of them. ``samples`` [m,
    *shape] are levels of the whole data, and ``labels`` int64 [m] their classes: an attack that
    only asks begins at those of the target.
    """

    classes: Int64Array
    aim: Callable[[int], None]
    samples: IntArray
    labels: Int64Array

    def examples(self) -> IntArray:
        """Samples of the target class, where ``classes`` are all the same: [k, *shape]."""
        found: IntArray = self.samples[self.labels == self.classes[0]]
        return found


class Aimed:
    """``source`` with two classes: the largest other score and the target's, float32 [n, 2].

    A tie counts as not the target.
    """

    def __init__(self, source: Predictor) -> None:
        self._source = source
        self._target = 0

    @property
    def rung(self) -> str:
        """See Predictor."""
        return self._source.rung

    @property
    def input(self) -> TensorSpec:
        """See Predictor."""
        return self._source.input

    def aim(self, target: int) -> None:
        """From now on class 1 is ``target`` of the source."""
        self._target = target

    def predict(self, q: IntArray) -> Prediction:
        """See Predictor."""
        return Prediction(_two(self._source.predict(q).logits, self._target))

    def interleave(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """See Interleaving."""
        return side_by_side(self._source, tasks)


class AimedGradients(Aimed):
    """``Aimed`` at a source with gradients."""

    def __init__(self, source: Differentiable) -> None:
        import tensorflow as tf

        super().__init__(source)
        self._differentiable = source
        # A variable: what is compiled around this source serves every class.
        self._aimed = tf.Variable(0, dtype=tf.int32, trainable=False)

    def aim(self, target: int) -> None:
        """See Aimed."""
        super().aim(target)
        self._aimed.assign(target)

    def logits(self, real: Any) -> Any:
        """See Differentiable."""
        import tensorflow as tf

        logits: Any = self._differentiable.logits(real)
        own = tf.range(tf.shape(logits)[1]) == self._aimed
        others = tf.reduce_max(tf.where(own, logits.dtype.min, logits), 1)
        return tf.stack([others, tf.gather(logits, self._aimed, axis=1)], 1)


class AimedSearch(Aimed):
    """``Aimed`` at a source that another one confirms."""

    def __init__(self, source: Searched) -> None:
        super().__init__(source)
        self._searched = source

    @property
    def tally(self) -> Tally:
        """See Searched."""
        return self._searched.tally

    def confirm(self, q: IntArray) -> Prediction:
        """See Searched."""
        return Prediction(_two(self._searched.confirm(q).logits, self._target))


def classes_of(target: str, source: Predictor, q: IntArray) -> Int64Array:
    """What ``target``, a class by its number or ``least-likely``, is for each of ``q``: int64 [n].

    Raises UsageError on a class that the source does not have.
    """
    logits = source.predict(q).logits
    if target == LEAST_LIKELY:
        return np.asarray(logits.argmin(axis=1), np.int64)
    return np.full(len(q), number(target, logits.shape[1]), np.int64)


def is_number(target: str) -> bool:
    """Whether ``target`` can be a class by its number."""
    return target.isascii() and target.isdigit() and len(target) < 10


def number(target: str, classes: int) -> int:
    """The class that ``target`` names. Raises UsageError where it is none of ``classes``."""
    if not (is_number(target) and int(target) < classes):
        raise UsageError(
            f"target {target!r}: the model has classes 0..{classes - 1}; "
            f"give one of them, or {LEAST_LIKELY}"
        )
    return int(target)


_last: list[tuple[Predictor, Aimed]] = []


def aimed(source: Predictor) -> Aimed:
    """``source`` to be aimed, the same one again for the same source."""
    if not _last or _last[0][0] is not source:
        _last[:] = [(source, _view(source))]
    return _last[0][1]


def _view(source: Predictor) -> Aimed:
    if isinstance(source, Differentiable):
        return AimedGradients(source)
    return AimedSearch(source) if isinstance(source, Searched) else Aimed(source)


def _two(logits: FloatArray, target: int) -> FloatArray:
    others = np.delete(logits, target, axis=1).max(axis=1)
    return np.stack([others, logits[:, target]], 1).astype(np.float32)
