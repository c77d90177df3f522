"""Noise as a control, and as an attack: drawn again until the source gives way."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tinyrobust.attacks.base.problem import AttackInfo, Needs, Norm, Problem
from tinyrobust.attacks.black_box.foolbox_decisions import run_foolbox
from tinyrobust.attacks.black_box.queries import Decisions, to_grid
from tinyrobust.attacks.black_box.starts import unit
from tinyrobust.core.types import FloatArray

DRAWS = 100
"""Of an attack that draws again (Foolbox's default)."""

SALT_STEPS = 1000
"""Steps of the salt-and-pepper search (Foolbox's default)."""

Draw = Callable[[np.random.Generator, Problem], FloatArray]
"""A perturbation in levels, float32 [n, *shape], of the size of the problem's budget."""


def uniform_change(rng: np.random.Generator, problem: Problem) -> FloatArray:
    """Uniform in the Linf ball."""
    return rng.uniform(-problem.levels, problem.levels, problem.q.shape).astype(np.float32)


def gaussian_change(rng: np.random.Generator, problem: Problem) -> FloatArray:
    """Uniform on the L2 sphere: normal elements, scaled."""
    noise = unit(rng.standard_normal(problem.q.shape, np.float32))
    return np.asarray(noise * (problem.eps / problem.spec.scale), np.float32)


def gaussian(problem: Problem) -> FloatArray:
    """One draw of ``gaussian_change``; asks nothing."""
    points = problem.q + gaussian_change(np.random.default_rng(problem.seed), problem)
    return problem.spec.dequantize(to_grid(problem, np.arange(len(points)), points))


def uniform_repeated(problem: Problem) -> FloatArray:
    """``DRAWS`` of ``uniform_change``."""
    return _repeated(problem, uniform_change)


def gaussian_repeated(problem: Problem) -> FloatArray:
    """``DRAWS`` of ``gaussian_change``."""
    return _repeated(problem, gaussian_change)


def _repeated(problem: Problem, draw: Draw) -> FloatArray:
    """The first draw that is adversarial; the last where none is."""
    rng = np.random.default_rng(problem.seed)
    queries = Decisions(problem, 1 + DRAWS)
    points = queries.clean.copy()
    waiting = queries.right
    for _ in range(DRAWS):
        waiting = queries.open(waiting)
        if not len(waiting):
            break
        points[waiting] = (queries.clean + draw(rng, problem))[waiting]
        waiting = waiting[~queries.adversarial(waiting, points[waiting])]
    return problem.spec.dequantize(queries.inside(np.arange(len(points)), points))


def salt_and_pepper(problem: Problem, steps: int) -> FloatArray:
    """More and more pixels to black and white until the source gives way, then fewer again.

    The fewest are kept.
    """
    import foolbox

    queries = Decisions(problem, 2 + steps)
    attack = foolbox.attacks.SaltAndPepperNoiseAttack(
        steps=steps, across_channels=len(problem.spec.shape) == 3
    )
    run_foolbox(queries, queries.right, problem.seed, attack)
    return queries.result


FOOLBOX = "Rauber et al. 2020, Foolbox Native"
ROWS = (
    AttackInfo(
        "gaussian",
        "Gaussian noise",
        Needs.NOTHING,
        Norm.L2,
        "control: what the same L2 budget does without an adversary",
        gaussian,
    ),
    AttackInfo(
        "uniform-repeated",
        f"Uniform noise, best of {DRAWS}",
        Needs.DECISIONS,
        Norm.LINF,
        FOOLBOX,
        uniform_repeated,
    ),
    AttackInfo(
        "gaussian-repeated",
        f"Gaussian noise, best of {DRAWS}",
        Needs.DECISIONS,
        Norm.L2,
        FOOLBOX,
        gaussian_repeated,
    ),
    AttackInfo(
        "salt-and-pepper",
        f"Salt and pepper, {SALT_STEPS:,} steps",
        Needs.DECISIONS,
        Norm.L0,
        FOOLBOX,
        partial(salt_and_pepper, steps=SALT_STEPS),
        minimises=True,
    ),
)
