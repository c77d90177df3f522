"""What every attack is given, and what it must return."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tinyrobust.attacks.base.goals import Goal
from tinyrobust.core.types import (
    Differentiable,
    FloatArray,
    Int64Array,
    IntArray,
    Predictor,
    TensorSpec,
)


class Norm(str, Enum):
    """How a perturbation is measured.

    Largest change, Euclidean length, sum of changes, number of changed elements.
    """

    LINF = "linf"
    L2 = "l2"
    L1 = "l1"
    L0 = "l0"


class Needs(Enum):
    """What an attack asks of its source, from nothing to everything."""

    NOTHING = 0
    DECISIONS = 1
    """The predicted class only."""
    SCORES = 2
    """All logits."""
    GRADIENTS = 3


class Lattice(str, Enum):
    """When a perturbation is brought to the inputs that a chip can be given."""

    AFTER = "after"
    """Once, when the attack has ended."""
    INNER = "inner"
    """At every step: the source rounds what it is asked, its gradient passes straight through."""
    STUDY = "study"
    """Once, each element to its nearest level, even where that is more than the budget."""


Report = Callable[[str, int], None]
"""(part of an attack, samples that are left right after it)."""


def _unheard(part: str, left: int) -> None:
    """A report that nobody asked for."""


@dataclass(frozen=True)
class Problem:
    """A batch of samples to perturb.

    ``q`` levels of ``spec`` [n, *spec.shape]; ``labels`` int64 [n], the class each prediction shall
    leave (never -1 where a source is given); ``norm`` and ``eps`` the budget in the real units of
    ``spec``, infinite for an attack that looks for the smallest perturbation; ``levels`` an Linf
    budget in whole levels, all of them for every other norm; ``source`` the rung under attack, None
    where the attack needs none. With ``Lattice.INNER`` the source rounds to the grid itself, so an
    attack need not look at ``lattice``. ``queries`` is the most questions that an attack which only
    asks may put for each sample, at least 1; None leaves that to the attack. ``report`` takes the
    name of a part of an attack and how many samples it left right. With a ``goal`` the source has
    two classes, and every label is 0: leaving it is reaching the target.
    """

    q: IntArray
    labels: Int64Array
    spec: TensorSpec
    norm: Norm
    eps: float
    levels: int
    seed: int
    source: Predictor | None
    lattice: Lattice = Lattice.AFTER
    queries: int | None = None
    report: Report = _unheard
    goal: Goal | None = None

    @property
    def real(self) -> FloatArray:
        """The clean samples in real units, float32 [n, *spec.shape]."""
        return self.spec.dequantize(self.q)

    @property
    def span(self) -> float:
        """Length of the input range in real units.

        Published budgets for pixels in [0, 1] are multiples of it.
        """
        return self.spec.high - self.spec.low

    @property
    def bounded(self) -> bool:
        """Whether there is a budget at all."""
        return math.isfinite(self.eps)

    def queried(self) -> Predictor:
        """The source.

        Raises TypeError where the caller promised none: ``make`` checks before it asks an attack.
        """
        if self.source is None:
            raise TypeError("an attack was called without the source it needs")
        return self.source

    def differentiable(self) -> Differentiable:
        """The source with its gradients. Raises TypeError where the caller promised none."""
        source = self.queried()
        if not isinstance(source, Differentiable):
            raise TypeError("a gradient attack was called without a differentiable source")
        return source


Attack = Callable[[Problem], FloatArray]
"""Perturbed inputs in real units, float32 [n, *shape]; ``make`` brings them to the grid inside
the budget.
"""


@dataclass(frozen=True)
class AttackInfo:
    """One row of the registry.

    ``paper`` is where the attack was published, or what it is a control for. An attack that
    ``minimises`` looks for the smallest perturbation in ``norm`` and has no eps; one with a preset
    of a study has the study's ``eps``, as fractions of the input range, in place of the run's.
    ``loss`` is what an attack by gradients climbs, (logits, labels, targets) -> [n] as in
    ``gradients/losses.py``; ``lattice`` is when it is rounded unless a request says otherwise.
    ``aims``: it can be given a target class.
    """

    name: str
    title: str
    needs: Needs
    norm: Norm
    paper: str
    function: Attack
    minimises: bool = False
    eps: tuple[float, ...] = ()
    loss: Callable[[Any, Any, Any], Any] | None = None
    lattice: Lattice = Lattice.AFTER
    aims: bool = True


def asks(info: AttackInfo) -> bool:
    """Whether it only asks its source, so that its questions can be counted."""
    return info.needs in (Needs.DECISIONS, Needs.SCORES)


class SpentError(Exception):
    """An attack asks more than it said it would: a mistake of the attack. Nothing was asked."""


class StoppedError(Exception):
    """The user's budget allows none of the questions: the attack ends here. Nothing was asked."""

    def __init__(self, result: FloatArray) -> None:
        super().__init__("the query budget is spent")
        self.result = result
        """What the attack has found until now, as it would return it."""
