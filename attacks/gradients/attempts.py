"""Several attempts at the same samples, judged as the chip would be given them: on the grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyrobust.attacks.base.input_grid import round_nearest
from tinyrobust.attacks.base.problem import Problem
from tinyrobust.attacks.gradients.graphs import clean, graph, real
from tinyrobust.attacks.gradients.losses import unsaturated
from tinyrobust.core.types import BoolArray, FloatArray, Int64Array


class Attempts:
    """Keeps the best attempt of each sample; goes on with those that none has fooled.

    One that fools the source beats one that does not, then the larger loss wins. The clean
    input is beaten by any, unless the source gets it wrong: then by those only that keep it wrong.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._best = clean(problem)
        self._fooled, _ = _judged(problem, self._best)
        self._loss = np.full(len(problem.q), -np.inf, np.float32)
        self._tried = False

    @property
    def left(self) -> Int64Array:
        """Indices of the samples to go on with: all at first, then those not fooled."""
        todo = ~self._fooled if self._tried else np.ones_like(self._fooled)
        return np.flatnonzero(todo)

    @property
    def rest(self) -> Problem:
        """The problem of the samples that are ``left``."""
        return replace(
            self._problem, q=self._problem.q[self.left], labels=self._problem.labels[self.left]
        )

    def add(self, pixels: FloatArray) -> None:
        """One more attempt at the samples of ``rest``."""
        at, (fooled, loss) = self.left, _judged(self.rest, pixels)
        better = (fooled > self._fooled[at]) | (
            (fooled == self._fooled[at]) & (loss > self._loss[at])
        )
        won = at[better]
        self._best[won], self._fooled[won], self._loss[won] = (
            pixels[better],
            fooled[better],
            loss[better],
        )
        self._tried = True

    def real(self) -> FloatArray:
        """The best attempts in real units, float32 [n, *shape]; not snapped."""
        return real(self._problem, self._best)


def _judged(problem: Problem, pixels: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Whether what reaches the chip fools the source, bool [n], and its loss [n]."""
    q = round_nearest(problem.q, real(problem, pixels), problem.spec, problem.levels)
    logits = graph(problem).logits(clean(replace(problem, q=q)))
    loss = np.asarray(unsaturated(logits, problem.labels, problem.labels))
    return np.asarray(logits).argmax(axis=1) != problem.labels, loss
