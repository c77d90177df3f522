"""Boundary attack: a random walk along the decision boundary that comes ever closer.

Brendel et al. 2018, L2.

Two variants, as the studies used them. Foolbox's tries one proposal a step, and needs thousands of
steps before its step sizes settle. The population's tries several sideways proposals a step and
steers by the share that succeeds: for studies that count hundreds of steps.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from tinyrobust.attacks.base.problem import Attack, AttackInfo, Needs, Norm, Problem
from tinyrobust.attacks.black_box.foolbox_decisions import run_foolbox
from tinyrobust.attacks.black_box.queries import Decisions
from tinyrobust.attacks.black_box.starts import TRIES, finer, lengths, starts, to_boundary, unit
from tinyrobust.core.types import BoolArray, FloatArray, Int64Array

HALVINGS = 10
"""Of the bisection from the start to the boundary, on an int8 grid; ``finer`` adds to them."""

SIDEWAYS = 0.1
"""First sideways step, relative to the distance.

Foolbox's 0.01 is less than a level per element, moves nothing, and is not adapted before a thousand
steps have passed.
"""

SPHERICAL_EVERY = 10
"""Foolbox asks for the sideways move alone every so many steps (``update_stats_every_k``)."""

POPULATION = 20
"""Sideways proposals of a step: ART's default (``sample_size``), whose preset Costa and Pinto
used.
"""

ADAPT = 1.5
"""Factor by which a step size grows or shrinks, as in both libraries."""


def boundary(problem: Problem, steps: int) -> FloatArray:
    """``steps`` of Foolbox's walk from a point on the boundary.

    Returns the closest adversarial grid point it asked for.
    """
    import foolbox

    halvings = HALVINGS + finer(problem)
    queries = Decisions(problem, 2 + TRIES + halvings + steps + steps // SPHERICAL_EVERY)
    at, points = starts(problem, queries, np.random.default_rng(problem.seed))
    points = to_boundary(queries, at, points, halvings)
    attack = foolbox.attacks.BoundaryAttack(
        steps=steps, spherical_step=SIDEWAYS, update_stats_every_k=SPHERICAL_EVERY
    )
    run_foolbox(queries, at, problem.seed, attack, starting_points=points)
    return queries.result


def population(problem: Problem, steps: int, sideways: float, inwards: float) -> FloatArray:
    """``steps`` of ``POPULATION`` sideways proposals, and one inwards of the best of them.

    ``sideways`` and ``inwards`` are the first step sizes, relative to the distance; each sample
    adapts its own.

    Both are the first relative step sizes; each sample adapts its own.
    """
    rng = np.random.default_rng(problem.seed)
    halvings = HALVINGS + finer(problem)
    queries = Decisions(problem, 1 + TRIES + halvings + steps * (POPULATION + 1))
    at, points = starts(problem, queries, rng)
    points = to_boundary(queries, at, points, halvings)
    rows = (len(at),) + (1,) * (points.ndim - 1)
    delta, epsilon = np.full(rows, sideways, np.float32), np.full(rows, inwards, np.float32)
    for _ in range(steps if len(at) else 0):
        proposals = _sideways(queries, at, points, delta, rng)
        fooled = queries.adversarial(
            np.tile(at, POPULATION), proposals.reshape(-1, *points.shape[1:])
        )
        fooled = fooled.reshape(POPULATION, len(at))
        share = fooled.mean(axis=0).reshape(rows)
        delta = np.where(share > 0.5, delta * ADAPT, np.where(share < 0.2, delta / ADAPT, delta))
        moved = np.flatnonzero(fooled.any(axis=0))
        chosen = proposals[fooled.argmax(axis=0)[moved], moved]
        inner = chosen + np.minimum(epsilon[moved], 1) * (queries.clean[at[moved]] - chosen)
        arrived = _asked(queries, at[moved], inner)
        points[moved] = np.where(arrived, inner, chosen)
        epsilon[moved] *= np.where(arrived, np.float32(ADAPT), np.float32(1 / ADAPT))
    return queries.result


def _sideways(
    queries: Decisions,
    at: Int64Array,
    points: FloatArray,
    delta: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Points as far from the clean samples as ``points``, ``delta`` of the distance aside.

    [POPULATION, k, *shape].
    """
    clean = queries.clean[at]
    away = points - clean
    distance, outwards = lengths(away), unit(away)
    out = np.empty((POPULATION, *points.shape), np.float32)
    for proposal in out:  # one after the other: large images fill the memory otherwise
        noise = rng.standard_normal(points.shape, np.float32)
        along = (noise * outwards).reshape(len(points), -1).sum(axis=1).reshape(distance.shape)
        aside = unit(noise - along * outwards)
        proposal[:] = queries.clip(clean + distance * unit(away + delta * distance * aside))
    return out


def _asked(queries: Decisions, at: Int64Array, points: FloatArray) -> BoolArray:
    fooled = queries.adversarial(at, points)
    return np.asarray(fooled.reshape((len(at),) + (1,) * (points.ndim - 1)))


PAPER = "Brendel et al. 2018, arXiv:1712.04248"


def _row(name: str, title: str, attack: Attack, paper: str = PAPER) -> AttackInfo:
    return AttackInfo(name, title, Needs.DECISIONS, Norm.L2, paper, attack, minimises=True)


ROWS = (
    _row(
        "boundary",
        f"Boundary, 100 steps of {POPULATION}",
        partial(population, steps=100, sideways=SIDEWAYS, inwards=1.0),
    ),
    _row(
        "boundary-s1",
        "Boundary, 5,000 steps",
        partial(boundary, steps=5000),
        f"{PAPER}, as in Eslami Abyane and Hemmati 2021, arXiv:2109.09869",
    ),
    _row(
        "boundary-s3",
        "Boundary, 5,000 steps",
        partial(boundary, steps=5000),
        f"{PAPER}; Ayaz et al. 2023, arXiv:2304.12829 state no parameters: those of boundary-s1",
    ),
    _row(
        "boundary-s4",
        f"Boundary, 500 steps of {POPULATION}",
        partial(population, steps=500, sideways=0.1, inwards=1.0),
        f"{PAPER}, as in Costa and Pinto 2024, arXiv:2404.05688",
    ),
)
