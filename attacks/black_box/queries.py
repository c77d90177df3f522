"""A source that can only be asked: grid points in, classes or scores out, every question counted.

Points are in levels, -128 .. 127 on an int8 grid: float32 [k, *shape], the clean sample being
``problem.q`` itself. What is asked is the nearest grid point inside the budget, so that what an
attack sees is what the chip does. The smallest adversarial point ever asked is kept for each
sample, whatever the attack itself makes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tinyrobust.attacks.base.input_grid import change, size
from tinyrobust.attacks.base.problem import Norm, Problem, SpentError, StoppedError
from tinyrobust.attacks.base.searched import Searched, decided
from tinyrobust.core.types import BoolArray, FloatArray, Int64Array, IntArray

CHUNK_BYTES = 1 << 24
"""Most bytes of input that the source is handed in one call."""

_HALVINGS = 6
_ROUNDING = 1 + 1e-6
"""Of a budget in float arithmetic."""


class Decisions:
    """Whether the source still gives the label; its scores stay hidden.

    ``budget`` is the attack's own, per sample.

    Construction asks for the clean samples (one query each). Where the problem's ``queries`` are
    fewer, a sample that has spent them is not asked about any more: its questions count as not
    fooling. When that holds for all that are asked, the attack is ended with StoppedError. Where
    the source is ``Searched``, whatever would be the closest is kept once it is confirmed; what is
    not counts as not fooling.
    """

    def __init__(self, problem: Problem, budget: int) -> None:
        n = len(problem.q)
        self._problem = problem
        self.spec = problem.spec
        """The input grid."""
        self._source = problem.queried()
        self._budget = budget
        self._allowed = min(budget, problem.queries or budget)
        self.asked = np.zeros(n, np.int64)
        """Queries so far, int64 [n]."""
        self.best: IntArray = problem.q.copy()
        """The closest adversarial point asked, the clean sample where there is none; levels [n,
        *shape].
        """
        self.distance = np.full(n, np.inf)
        """Size of ``best``, float64 [n], in the problem's norm; 0 where the clean sample is
        misclassified.
        """
        self.clean: FloatArray = problem.q.astype(np.float32)
        """float32 [n, *shape], in levels."""
        self._first = self._answers(np.arange(n), self.clean)

    @property
    def found(self) -> BoolArray:
        """Samples with an adversarial point, bool [n]."""
        return np.asarray(np.isfinite(self.distance))

    @property
    def right(self) -> Int64Array:
        """Samples whose clean input the source gives its label: the ones to attack. int64 [k]."""
        return np.flatnonzero(self.distance > 0)

    @property
    def left(self) -> int:
        """Queries that every sample still has."""
        return self._allowed - int(self.asked.max(initial=0))

    def open(self, at: Int64Array) -> Int64Array:
        """Those of the samples ``at`` that may be asked about once more."""
        return at[self.asked[at] < self._allowed]

    @property
    def result(self) -> FloatArray:
        """``best`` in real units, as an attack returns it."""
        return self._problem.spec.dequantize(self.best)

    def adversarial(self, at: Int64Array, points: FloatArray) -> BoolArray:
        """Whether the prediction has left the label, bool [k].

        For ``points`` [k, *shape] of the samples ``at``.

        A sample may occur any number of times. Raises SpentError and StoppedError.
        """
        logits, asked = self._ask(at, points)
        return np.asarray((logits.argmax(axis=1) != self._problem.labels[at]) & asked)

    def clip(self, points: FloatArray) -> FloatArray:
        """``points`` in levels, into the range that the grid spans."""
        return np.asarray(np.clip(points, self.spec.bottom, self.spec.top), np.float32)

    def inside(self, at: Int64Array, points: FloatArray) -> IntArray:
        """The grid points that are asked for ``points``: the nearest ones inside the budget."""
        return to_grid(self._problem, at, points)

    def _ask(self, at: Int64Array, points: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Logits [k, classes], and what was asked, bool [k].

        Where nothing was asked they are the clean sample's.
        """
        counts = np.bincount(at, minlength=len(self.asked))
        if np.any(self.asked + counts > self._budget):
            raise SpentError
        asked = self.asked[at] + _turn(at) < self._allowed
        if asked.all():
            return self._answers(at, points), asked
        if not asked.any():
            raise StoppedError(self.result)
        logits = self._first[at].copy()
        logits[asked] = self._answers(at[asked], points[asked])
        return logits, asked

    def _answers(self, at: Int64Array, points: FloatArray) -> FloatArray:
        most = max(1, CHUNK_BYTES // self._problem.spec.size)
        parts = [slice(i, i + most) for i in range(0, max(1, len(at)), most)]
        logits: FloatArray = np.concatenate(
            [self._answer(at[part], points[part]) for part in parts]
        )
        self.asked += np.bincount(at, minlength=len(self.asked))
        return logits

    def _answer(self, at: Int64Array, points: FloatArray) -> FloatArray:
        q = to_grid(self._problem, at, points)
        logits = self._source.predict(q).logits
        adversarial = logits.argmax(axis=1) != self._problem.labels[at]
        distance = np.full(len(at), np.inf)
        moved = change(self._problem.q[at[adversarial]], q[adversarial])
        distance[adversarial] = size(moved, self._problem.norm, self._problem.spec.steps)
        while len(closest := self._closest(at, distance)):
            refuted = self._refuted(at[closest], q[closest])
            kept, lost = closest[~refuted], closest[refuted]
            self.best[at[kept]], self.distance[at[kept]] = q[kept], distance[kept]
            if len(lost):
                distance[lost] = np.inf
                logits = logits.copy()
                logits[lost] = decided(logits[lost], self._problem.labels[at[lost]])
        return logits

    def _closest(self, at: Int64Array, distance: NDArray[np.float64]) -> Int64Array:
        """Of each sample's points the closest, where it is closer than all before; int64 [m]."""
        order = np.lexsort((distance, at))
        samples, first = np.unique(at[order], return_index=True)
        closest = order[first]
        return np.asarray(closest[distance[closest] < self.distance[samples]])

    def _refuted(self, at: Int64Array, q: IntArray) -> BoolArray:
        """What a source that has to be confirmed is not, bool [m]."""
        if not isinstance(self._source, Searched):
            return np.zeros(len(at), np.bool_)
        classes = self._source.confirm(q).logits.argmax(axis=1)
        refuted = np.asarray(classes == self._problem.labels[at])
        self._source.tally.confirmed += int(np.sum(~refuted))
        self._source.tally.refuted += int(np.sum(refuted))
        return refuted


class Scores(Decisions):
    """What ``Decisions`` asks, with all logits in sight."""

    def logits(self, at: Int64Array, points: FloatArray) -> FloatArray:
        """Float32 [k, classes] for ``points`` [k, *shape] of the samples ``at``.

        See ``adversarial``.
        """
        return self._ask(at, points)[0]

    def margins(self, at: Int64Array, points: FloatArray) -> FloatArray:
        """The label's logit minus the largest other one, float32 [k].

        Negative where adversarial.
        """
        return margin(self.logits(at, points), self._problem.labels[at])

    @property
    def first_margins(self) -> FloatArray:
        """The margins of the clean samples, float32 [n], already asked."""
        return margin(self._first, self._problem.labels)


def _turn(at: Int64Array) -> Int64Array:
    """How many of the entries before each of ``at`` are the same sample's, int64 [k]."""
    order = np.argsort(at, kind="stable")
    ranked = at[order]
    turn = np.empty(len(at), np.int64)
    turn[order] = np.arange(len(at)) - np.searchsorted(ranked, ranked)
    return turn


def margin(logits: FloatArray, labels: Int64Array) -> FloatArray:
    """The label's logit minus the largest other one, float32 [n].

    A tie that the label loses, because argmax takes the first, is the smallest negative number:
    quantized logits tie often, and the sign must tell what the prediction is.
    """
    rows = np.arange(len(labels))
    others = logits.copy()
    others[rows, labels] = -np.inf
    gap: FloatArray = (logits[rows, labels] - others.max(axis=1)).astype(np.float32)
    lost = (gap == 0) & (logits.argmax(axis=1) != labels)
    gap[lost] = -np.finfo(np.float32).tiny
    return gap


def to_grid(problem: Problem, at: Int64Array, points: FloatArray) -> IntArray:
    """``points`` in levels rounded to whole ones, in the grid's dtype, inside the budget.

    For that every element's change is rounded up from a share between 0.5, the nearest point, and
    1, towards the clean sample: the least that fits, found by bisection.
    """
    clean, spec = problem.q[at].astype(np.float32), problem.spec
    moved = np.clip(points, spec.bottom, spec.top) - clean
    whole = np.rint(moved)
    if problem.bounded:
        of_levels = problem.norm is Norm.LINF
        limit = problem.levels / spec.steps if of_levels else problem.eps / problem.span
        over = np.flatnonzero(size(whole, problem.norm, spec.steps) > limit * _ROUNDING)
        if len(over):
            measure = partial(size, norm=problem.norm, steps=spec.steps)
            whole[over] = _shortened(moved[over], limit * _ROUNDING, measure)
    return np.asarray(np.clip(clean + whole, spec.bottom, spec.top), problem.q.dtype)


def _shortened(
    moved: FloatArray, limit: float, size: Callable[[FloatArray], NDArray[np.float64]]
) -> FloatArray:
    """Whole levels within ``limit`` of ``size``, no element longer than ``moved`` rounded up.

    Farther points are scaled first.
    """
    rows = (len(moved),) + (1,) * (moved.ndim - 1)
    reach = size(moved).reshape(rows)
    length, sign = np.abs(moved) * np.minimum(1, limit / np.maximum(reach, limit)), np.sign(moved)
    below, fits = np.full(rows, 0.5), np.ones(rows)
    for _ in range(_HALVINGS):
        share = (below + fits) / 2
        good = (size(np.floor(length + 1 - share)) <= limit).reshape(rows)
        below, fits = np.where(good, below, share), np.where(good, share, fits)
    return np.asarray(sign * np.floor(length + 1 - fits), np.float32)
