"""Where decision attacks begin: any adversarial point, and the way from it back to the boundary."""

from __future__ import annotations

import math

import numpy as np

from tinyrobust.attacks.base.goals import Goal
from tinyrobust.attacks.base.input_grid import STEPS
from tinyrobust.attacks.base.problem import Problem
from tinyrobust.attacks.black_box.queries import Decisions
from tinyrobust.core.types import FloatArray, Int64Array

RANDOM_TRIES = 25
"""Uniformly random inputs that are tried for each sample."""

OTHER_TRIES = 10
"""Samples of other classes, out of the same batch, that are tried after those; of a target class,
out of all samples, where there is one.
"""

TRIES = RANDOM_TRIES + OTHER_TRIES


def starts(
    problem: Problem, queries: Decisions, rng: np.random.Generator
) -> tuple[Int64Array, FloatArray]:
    """Adversarial points for the samples that the source has right.

    Returns their indices [k] and points [k, *shape] in levels.

    At most ``TRIES`` queries a sample. A sample for which none is found is left out: it stays
    clean. Towards a target class it begins at samples of that class, the nearest first.
    """
    if problem.goal is not None:
        return _of_the_target(problem.goal, queries)
    points = queries.clean.copy()
    waiting = queries.right
    for turn in range(TRIES):
        if turn < RANDOM_TRIES:
            spec, wanted = problem.spec, points[waiting].shape
            tried = rng.integers(spec.bottom, spec.top, size=wanted, endpoint=True).astype(
                np.float32
            )
        else:
            partners, there = _others(problem, waiting, turn - RANDOM_TRIES)
            tried, waiting = queries.clean[partners], waiting[there]
        if not len(waiting):
            break
        points[waiting] = tried
        waiting = waiting[~queries.adversarial(waiting, tried)]
    found = queries.right[queries.found[queries.right]]
    return found, points[found]


def _of_the_target(goal: Goal, queries: Decisions) -> tuple[Int64Array, FloatArray]:
    """As ``starts``: random inputs are hardly ever of one class, samples of it are."""
    examples = goal.examples().astype(np.float32)
    points, waiting = queries.clean.copy(), queries.right
    flat = examples.reshape(len(examples), -1)
    order = [
        np.argsort(((flat - queries.clean[i].reshape(1, -1)) ** 2).sum(axis=1), kind="stable")
        for i in waiting
    ]
    nearest = dict(zip(waiting.tolist(), order, strict=True))
    for turn in range(min(TRIES, len(examples))):
        if not len(waiting):
            break
        tried = examples[[nearest[int(i)][turn] for i in waiting]]
        points[waiting] = tried
        waiting = waiting[~queries.adversarial(waiting, tried)]
    found = queries.right[queries.found[queries.right]]
    return found, points[found]


def finer(problem: Problem) -> int:
    """How many more halvings a bisection takes to one level than on an int8 grid; 0 there."""
    return math.ceil(math.log2(problem.spec.steps / STEPS))


def _others(problem: Problem, at: Int64Array, turn: int) -> tuple[Int64Array, Int64Array]:
    """The ``turn``-th sample of another label for each of ``at``, and which of ``at`` have so many.

    Both int64 [k].
    """
    pairs = [
        (np.flatnonzero(problem.labels != problem.labels[i]), place) for place, i in enumerate(at)
    ]
    enough = [(others[turn], place) for others, place in pairs if turn < len(others)]
    partners, there = np.array(enough, np.int64).reshape(-1, 2).T
    return partners, there


def to_boundary(
    queries: Decisions, at: Int64Array, points: FloatArray, halvings: int
) -> FloatArray:
    """Bisects ``halvings`` times between adversarial ``points`` [k, *shape] and the clean samples.

    Returns the adversarial end.

    A bisection that has come down to one grid point asks no more.
    """
    clean = queries.clean[at]
    rows = (len(at),) + (1,) * (points.ndim - 1)
    far, near = np.ones(rows, np.float32), np.zeros(rows, np.float32)
    for _ in range(halvings):
        middle = (far + near) / 2
        tried = clean + middle * (points - clean)
        open_ = np.flatnonzero(
            (np.abs(points - clean) * (far - near)).reshape(len(at), -1).max(axis=1) >= 1
        )
        if not len(open_):
            break
        fooled = np.zeros(len(at), np.bool_)
        fooled[open_] = queries.adversarial(at[open_], tried[open_])
        known = np.zeros(len(at), np.bool_)
        known[open_] = True
        far = np.where((known & fooled).reshape(rows), middle, far)
        near = np.where((known & ~fooled).reshape(rows), middle, near)
    return np.asarray(clean + far * (points - clean), np.float32)


def first_adversarial(
    queries: Decisions,
    at: Int64Array,
    points: FloatArray,
    base: FloatArray,
    way: tuple[FloatArray, FloatArray, float],
    tries: int,
) -> FloatArray:
    """The first adversarial point of ``base + size * direction``.

    ``points`` where there is none.

    ``way`` is (direction, size, factor); each try's size is ``factor`` times the last.
    """
    direction, size, factor = way
    out, waiting = np.array(points, np.float32), np.arange(len(at))
    for _ in range(tries):
        tried = queries.clip(base[waiting] + size[waiting] * direction[waiting])
        fooled = queries.adversarial(at[waiting], tried)
        out[waiting[fooled]] = tried[fooled]
        waiting = waiting[~fooled]
        if not len(waiting):
            break
        size = np.asarray(size * factor, np.float32)
    return out


def lengths(change: FloatArray) -> FloatArray:
    """Euclidean length of each of ``change`` [k, *shape], shaped [k, 1, ...] to divide it."""
    flat = change.reshape(len(change), -1)
    length = np.sqrt(np.einsum("ij,ij->i", flat, flat))
    return np.asarray(length.reshape((len(change),) + (1,) * (change.ndim - 1)), np.float32)


def unit(change: FloatArray) -> FloatArray:
    """Each of ``change`` [k, *shape] with Euclidean length 1; zero stays zero."""
    return np.asarray(change / np.maximum(lengths(change), 1e-12), np.float32)
