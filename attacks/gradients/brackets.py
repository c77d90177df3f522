"""The search for the constant that weighs being fooled against the perturbation's size.

Each sample has its own.

Carlini and Wagner 2017 (arXiv:1608.04644), section V-C; EAD has it from there.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyrobust.attacks.base.problem import Problem
from tinyrobust.attacks.gradients.graphs import Tensor, clean
from tinyrobust.attacks.gradients.minimal import fooling_or_clean
from tinyrobust.core.types import FloatArray

GROWTH = 10.0
"""Of a constant until one fools; from then on the bracket is halved."""


def bracketed(
    problem: Problem,
    searches: int,
    const: float,
    descend: Callable[[FloatArray], tuple[Tensor, Tensor]],
) -> FloatArray:
    """The smallest that ``descend`` finds with ``searches`` constants from ``const`` on.

    In real units.

    ``descend`` takes a constant for each sample, float32 [n], and gives the fooling pixels with the
    least size, and that size, float32 [n], infinite where nothing fooled.
    """
    x = clean(problem)
    best, least = x, np.full(len(x), np.inf, np.float32)
    low, high = np.zeros(len(x), np.float32), np.full(len(x), np.inf, np.float32)
    weight = np.full(len(x), const, np.float32)
    for _ in range(searches):
        at, size = (np.asarray(part) for part in descend(weight))
        best = np.where((size < least).reshape(-1, *(1,) * (x.ndim - 1)), at, best)
        least = np.minimum(size, least)
        fooled = np.isfinite(size)
        low, high = np.where(fooled, low, weight), np.where(fooled, weight, high)
        weight = np.where(np.isinf(high), weight * np.float32(GROWTH), (low + high) / 2)
    return fooling_or_clean(problem, best)
