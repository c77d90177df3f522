"""One attack on one batch, brought to the grid: what an interrupted attack loses at most.

Whatever this file and an attack's own say together determines the bytes of its sets; what judges
them is elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from tinyrobust.attacks.base.input_grid import change, round_inward, round_nearest, size, steps
from tinyrobust.attacks.base.lanes import LANES, side_by_side
from tinyrobust.attacks.base.problem import AttackInfo, Lattice, Norm, Problem, StoppedError, asks
from tinyrobust.attacks.base.searched import Searched, Tally
from tinyrobust.attacks.base.smallest import nearest, smallest
from tinyrobust.core.errors import BenchError
from tinyrobust.core.types import FloatArray, IntArray

BATCH = 128
"""Samples that an attack is given at a time."""


@dataclass(frozen=True)
class Batch:
    """What an attack made of up to ``BATCH`` samples."""

    q: IntArray
    unsnapped: FloatArray
    """See AdversarialSet."""
    lost: int
    """Samples that fooled the source until they were rounded."""
    failure: str
    """The error that the attack ended with, empty without; ``q`` is clean then."""
    parts: tuple[tuple[str, int], ...] = ()
    """Of an attack in parts: each one's name and how many samples were left right after it."""
    tally: tuple[int, int] = (0, 0)
    """Of a search on another rung: what was found and confirmed, and what was not."""


def batches(problem: Problem) -> Iterator[Problem]:
    """Parts of at most ``BATCH`` samples, each with a seed of its own."""
    return _parts(problem, BATCH)


def _parts(problem: Problem, most: int) -> Iterator[Problem]:
    """``problem`` in parts of ``most`` samples, each with a seed of its own."""
    for index, start in enumerate(range(0, len(problem.q), most)):
        part = slice(start, start + most)
        seed = int(np.random.SeedSequence([problem.seed, index]).generate_state(1)[0] >> 1)
        goal = problem.goal and replace(problem.goal, classes=problem.goal.classes[part])
        yield replace(problem, q=problem.q[part], labels=problem.labels[part], seed=seed, goal=goal)


def attack(info: AttackInfo, problem: Problem) -> Batch:
    """One batch, target class by target class where it has a goal.

    An error of the attack itself is part of the answer; a lost board or a usage error is raised.
    """
    if problem.goal is None:
        return _attack(info, problem)
    q, unsnapped = problem.q.copy(), np.zeros(len(problem.q), np.float32)
    lost, tally = 0, (0, 0)
    parts: list[tuple[str, int]] = []
    for target in np.unique(problem.goal.classes):
        at = np.flatnonzero(problem.goal.classes == target)
        problem.goal.aim(int(target))
        goal = replace(problem.goal, classes=problem.goal.classes[at])
        part = replace(problem, q=problem.q[at], labels=problem.labels[at], goal=goal)
        made = _attack(info, part)
        if made.failure:
            return Batch(problem.q.copy(), np.zeros_like(unsnapped), 0, made.failure)
        q[at], unsnapped[at], lost = made.q, made.unsnapped, lost + made.lost
        parts += made.parts
        tally = (tally[0] + made.tally[0], tally[1] + made.tally[1])
    return Batch(q, unsnapped, lost, "", tuple(parts), tally)


def _attack(info: AttackInfo, problem: Problem) -> Batch:
    parts: list[tuple[str, int]] = []
    problem = replace(problem, report=lambda part, left: parts.append((part, left)))
    before = _tally(problem)
    try:
        real = _run(info, problem)
        moved = steps(problem.q, real, problem.spec)
        unsnapped = size(moved, info.norm, problem.spec.steps).astype(np.float32)
        q, lost = _on_grid(info, problem, real)
    except BenchError:
        raise
    except Exception as err:
        said = " ".join(str(err).split())[:200]
        return Batch(
            problem.q.copy(),
            np.zeros(len(problem.q), np.float32),
            0,
            f"{type(err).__name__}: {said}",
        )
    after = _tally(problem)
    tally = (after.confirmed - before.confirmed, after.refuted - before.refuted)
    return Batch(q, unsnapped, lost, "", tuple(parts), tally)


def _tally(problem: Problem) -> Tally:
    return replace(problem.source.tally) if isinstance(problem.source, Searched) else Tally()


def _run(info: AttackInfo, problem: Problem) -> FloatArray:
    if not asks(info) or len(problem.q) < LANES:
        return _alone(info, problem)
    lanes = [partial(_alone, info, part) for part in _parts(problem, -(-len(problem.q) // LANES))]
    return np.concatenate(side_by_side(problem.queried(), lanes))


def _alone(info: AttackInfo, problem: Problem) -> FloatArray:
    try:
        return info.function(problem)
    except StoppedError as stopped:
        return stopped.result


def _on_grid(info: AttackInfo, problem: Problem, real: FloatArray) -> tuple[IntArray, int]:
    if problem.lattice is Lattice.STUDY:
        return nearest(problem, real)
    if info.minimises:
        return smallest(problem, real)
    real = _inside(problem, real)
    asked = round_nearest(problem.q, real, problem.spec, problem.levels)
    if info.norm is not Norm.LINF:
        # An Linf budget is whole levels, and no rounding leaves it; another may be left, and is
        # kept by going inward.
        reached = size(change(problem.q, asked), info.norm, problem.spec.steps)
        over = reached > problem.eps / problem.span + 1e-6
        asked[over] = round_inward(problem.q, real, problem.spec, problem.levels)[over]
    return asked, 0


def _inside(problem: Problem, real: FloatArray) -> FloatArray:
    """``real`` drawn back into an L2 budget that it left; an Linf budget is kept level by level."""
    if problem.norm is not Norm.L2 or math.isinf(problem.eps):
        return real
    moved = real - problem.real
    length = np.sqrt((moved.astype(np.float64) ** 2).reshape(len(moved), -1).sum(axis=1))
    keep = np.minimum(1.0, problem.eps / np.maximum(length, 1e-12)).astype(np.float32)
    drawn: FloatArray = problem.real + moved * keep.reshape(-1, *(1,) * (moved.ndim - 1))
    return drawn
