"""Attacks that are no attacks: what every real one is compared with."""

from __future__ import annotations

import numpy as np

from tinyrobust.attacks.base.problem import AttackInfo, Needs, Norm, Problem
from tinyrobust.core.types import FloatArray


def clean(problem: Problem) -> FloatArray:
    """The samples as they are."""
    return problem.real


def noise(problem: Problem) -> FloatArray:
    """Uniform noise on the grid: each step from -levels to +levels is equally likely.

    Every element draws its own.
    """
    rng, spec = np.random.default_rng([problem.seed, problem.levels]), problem.spec
    step = rng.integers(-problem.levels, problem.levels, size=problem.q.shape, endpoint=True)
    return spec.dequantize(np.clip(problem.q.astype(np.int64) + step, spec.bottom, spec.top))


CLEAN = AttackInfo(
    "clean", "No perturbation", Needs.NOTHING, Norm.LINF, "control: the undisturbed test set", clean
)
NOISE = AttackInfo(
    "noise",
    "Uniform noise",
    Needs.NOTHING,
    Norm.LINF,
    "control: what the same budget does without an adversary",
    noise,
)
ROWS = (CLEAN, NOISE)
