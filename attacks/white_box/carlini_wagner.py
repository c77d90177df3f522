"""Carlini and Wagner's attacks: what they weigh the logits with, and when they are content.

Own code: Foolbox's eager L2 takes several times as long on a small network, and it has no Linf.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from tinyrobust.attacks.base.problem import AttackInfo, Lattice, Needs, Norm, Problem
from tinyrobust.attacks.gradients.brackets import bracketed
from tinyrobust.attacks.gradients.descent import search
from tinyrobust.attacks.gradients.graphs import clean, graph, seen_by
from tinyrobust.attacks.gradients.losses import lead
from tinyrobust.attacks.gradients.minimal import fooling_or_clean
from tinyrobust.core.types import FloatArray

FIRST_CONST, LARGEST_CONST, CONST_FACTOR = 1e-5, 20.0, 2.0
"""Of the Linf attack, and how it grows where nothing under the bound fools."""
SHRINK = 0.9
"""Of the Linf bound after each success."""


def cw_l2(
    problem: Problem, searches: int = 9, steps: int = 200, const: float = 1e-3, rate: float = 1e-2
) -> FloatArray:
    """L2: ``searches`` constants from ``const`` on, ``steps`` of Adam at ``rate`` for each.

    Each sample has its own constants.

    The defaults are the paper's, but for its 10,000 steps.
    """
    x, descend = clean(problem), graph(problem).compiled(search, Norm.L2, seen_by(problem))
    never = np.zeros(len(x), np.float32)
    return bracketed(
        problem,
        searches,
        const,
        lambda weight: descend(x, x, problem.labels, weight, never, rate, steps),
    )


def cw_linf(problem: Problem, steps: int = 100, rate: float = 5e-3) -> FloatArray:
    """Linf: at most ``steps`` of Adam at ``rate`` under a bound that shrinks with each success.

    The constant grows where nothing under the bound fools (section VI-C). The defaults are those of
    the authors' code, but for its 1,000 steps.
    """
    source, x, spec = graph(problem), clean(problem), problem.spec
    descend, best = source.compiled(search, Norm.LINF, seen_by(problem)), x.copy()
    bound, weight = np.full(len(x), 1, np.float32), np.full(len(x), FIRST_CONST, np.float32)
    left = np.flatnonzero(~source.fooled(x, problem.labels))
    while len(left):
        here = (x[left], best[left], problem.labels[left], weight[left], bound[left])
        at, length = map(np.asarray, descend(*here, rate, steps))
        won = length <= bound[left]
        best[left[won]], bound[left[won]] = at[won], SHRINK * length[won]
        weight[left[~won]] *= CONST_FACTOR
        # Below a bound of a step there is no level left.
        left = left[(bound[left] >= 1 / (spec.steps + 1)) & (weight[left] <= LARGEST_CONST)]
    return fooling_or_clean(problem, best)


_PAPER = "Carlini and Wagner 2017, arXiv:1608.04644"
_S4 = f"{_PAPER}, as in Costa and Pinto 2024, arXiv:2404.05688"
ROWS = (
    AttackInfo(
        "cw-l2",
        "Carlini-Wagner L2, 9 times 200 steps",
        Needs.GRADIENTS,
        Norm.L2,
        _PAPER,
        cw_l2,
        minimises=True,
        loss=lead,
        lattice=Lattice.INNER,
    ),
    AttackInfo(
        "cw-linf",
        "Carlini-Wagner Linf, 100 steps",
        Needs.GRADIENTS,
        Norm.LINF,
        _PAPER,
        cw_linf,
        minimises=True,
        loss=lead,
        lattice=Lattice.INNER,
    ),
    AttackInfo(
        "cw-l2-s4",
        "Carlini-Wagner L2, 10 times 10 steps",
        Needs.GRADIENTS,
        Norm.L2,
        _S4,
        partial(cw_l2, searches=10, steps=10, const=0.01),
        minimises=True,
        loss=lead,
        lattice=Lattice.INNER,
    ),
    AttackInfo(
        "cw-linf-s4",
        "Carlini-Wagner Linf, 10 steps",
        Needs.GRADIENTS,
        Norm.LINF,
        _S4,
        partial(cw_linf, steps=10, rate=0.01),
        minimises=True,
        loss=lead,
        lattice=Lattice.INNER,
    ),
)
