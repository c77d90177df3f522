"""HopSkipJump: the boundary's normal from decisions, a step along it, back to the boundary.

Chen et al. 2020, L2. Own code: Foolbox's normalises the estimate over the whole batch, and its
probes end far below one level, where every question is the same grid point.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from tinyrobust.attacks.base.problem import AttackInfo, Needs, Norm, Problem
from tinyrobust.attacks.black_box.normals import normal
from tinyrobust.attacks.black_box.queries import Decisions
from tinyrobust.attacks.black_box.starts import (
    TRIES,
    finer,
    first_adversarial,
    lengths,
    starts,
    to_boundary,
)
from tinyrobust.core.types import FloatArray, Int64Array

FIRST_PROBES = 100
"""Decisions of the first estimate; the t-th takes sqrt(t) times as many (the paper's)."""

HALVINGS = 10
"""Of the bisection back to the boundary on an int8 grid (``finer`` adds to them), and at most of a
step that leads out of the adversarial region.
"""


def hopskipjump(problem: Problem, iterations: int) -> FloatArray:
    """The closest adversarial grid point of ``iterations`` steps; clean without a start."""
    rng = np.random.default_rng(problem.seed)
    halvings = HALVINGS + finer(problem)
    queries = Decisions(problem, budget(iterations, halvings))
    at, points = starts(problem, queries, rng)
    points = to_boundary(queries, at, points, halvings)
    for iteration in range(1, iterations + 1):
        if not len(at):
            break
        distance = lengths(points - queries.clean[at])
        # The paper's probe radius is distance / d; a grid shows nothing below about a level per
        # element.
        direction = normal(
            queries, rng, at, points, _probes(iteration), distance / np.float32(problem.spec.size)
        )
        step = _adversarial_step(
            queries, at, points, direction, distance / np.float32(np.sqrt(iteration))
        )
        points = to_boundary(queries, at, step, halvings)
    return queries.result


def _probes(iteration: int) -> int:
    return int(FIRST_PROBES * np.sqrt(iteration))


def budget(iterations: int, halvings: int = HALVINGS) -> int:
    """Most queries of a sample."""
    each = HALVINGS + halvings
    return 1 + TRIES + halvings + sum(_probes(i) + each for i in range(1, iterations + 1))


def _adversarial_step(
    queries: Decisions, at: Int64Array, points: FloatArray, direction: FloatArray, size: FloatArray
) -> FloatArray:
    """``points`` moved ``size`` along ``direction``, halved until they stay adversarial.

    Unmoved where they never do.
    """
    return first_adversarial(queries, at, points, points, (direction, size, 0.5), HALVINGS)


ITERATIONS = 20
"""About 6,000 queries: the middle of the range the paper reports."""

ROWS = (
    AttackInfo(
        "hopskipjump",
        f"HopSkipJump, {ITERATIONS} iterations",
        Needs.DECISIONS,
        Norm.L2,
        "Chen et al. 2020, arXiv:1904.02144",
        partial(hopskipjump, iterations=ITERATIONS),
        minimises=True,
    ),
)
