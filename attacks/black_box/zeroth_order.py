"""ZOO (Chen et al. 2017): Carlini and Wagner's L2 attack with a gradient that is asked for.

The gradient of their loss is measured coordinate by coordinate.

On the grid: a difference quotient is taken between inputs that exist, whole levels apart. (A
step of 1e-5 added to an int8 input, as seen in published code, is truncated to nothing and makes
gradients vanish that do not.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from tinyrobust.attacks.base.input_grid import STEPS
from tinyrobust.attacks.base.problem import AttackInfo, Needs, Norm, Problem
from tinyrobust.attacks.black_box.queries import Scores
from tinyrobust.core.types import BoolArray, FloatArray, Int64Array

PARALLEL = 128
"""Coordinates of a step, two queries each (the paper's)."""

RATE, BETA_1, BETA_2, TINY = 0.01, 0.9, 0.999, 1e-8
"""Of Adam, per coordinate; the rate in multiples of the input range (the paper's)."""

WIDTH, MOST_WIDTH = 8 / STEPS, 64 / STEPS
"""Between a coordinate and either end of its difference quotient, in multiples of the input range.

Quantized logits do not notice one: the width of a sample is doubled, to at most ``MOST_WIDTH``,
whenever more than half of its quotients are zero.
"""

_PROBE_BYTES = 1 << 26
"""Most memory of the points that are asked at a time."""


def zoo(problem: Problem, constant: float, searches: int, iterations: int) -> FloatArray:
    """The closest adversarial point of ``searches`` values of the loss's constant.

    ``iterations`` steps each.
    """
    queries = Scores(problem, budget(searches, iterations, problem.spec.size))
    rng = np.random.default_rng(problem.seed)
    at = queries.right
    c = np.full(len(at), constant)
    low, high = np.zeros(len(at)), np.full(len(at), np.inf)
    for _ in range(searches if len(at) else 0):
        reached = _descend(problem, queries, rng, at, c, iterations)
        high, low = np.where(reached, c, high), np.where(reached, low, c)
        c = np.where(np.isinf(high), c * 10, (low + np.minimum(high, 1e10)) / 2)
    return queries.result


def budget(searches: int, iterations: int, elements: int) -> int:
    """Most queries of a sample."""
    return 1 + searches * iterations * (2 * min(PARALLEL, elements) + 2)


@dataclass
class _Adam:
    """State of every coordinate of k samples, float32 [k, elements]."""

    mean: FloatArray
    square: FloatArray
    steps: FloatArray
    levels: int
    """Steps of the input grid."""

    def step(self, places: tuple[Int64Array, Int64Array], gradient: FloatArray) -> FloatArray:
        """How far to move the coordinates ``places`` (indices [k, 1] and [k, m]), in levels."""
        self.steps[places] += 1
        self.mean[places] = BETA_1 * self.mean[places] + (1 - BETA_1) * gradient
        self.square[places] = BETA_2 * self.square[places] + (1 - BETA_2) * gradient**2
        mean = self.mean[places] / (1 - BETA_1 ** self.steps[places])
        square = self.square[places] / (1 - BETA_2 ** self.steps[places])
        return np.asarray(-RATE * self.levels * mean / (np.sqrt(square) + TINY), np.float32)


def _descend(
    problem: Problem,
    queries: Scores,
    rng: np.random.Generator,
    at: Int64Array,
    c: FloatArray,
    iterations: int,
) -> BoolArray:
    """Adam from the clean samples; which of them were adversarial at any step, bool [k]."""
    clean, steps = queries.clean[at].reshape(len(at), -1), problem.spec.steps
    x = clean.copy()
    adam = _Adam(np.zeros_like(x), np.zeros_like(x), np.zeros_like(x), steps)
    reached = np.zeros(len(at), np.bool_)
    margin = queries.first_margins[at]
    width = np.full((len(at), 1), np.rint(WIDTH * steps), np.float32)
    for _ in range(iterations):
        places = _coordinates(rng, x.shape)
        slope = _slopes(problem, queries, at, x, places, width)
        width = np.where(
            np.mean(slope == 0, axis=1, keepdims=True) > 0.5,
            np.minimum(2 * width, np.rint(MOST_WIDTH * steps)).astype(np.float32),
            width,
        )
        # The hinge max(margin, 0) has no slope where the sample is adversarial already: only the
        # distance is left.
        gradient = np.where(margin >= 0, c, 0)[:, None] * slope + 2 * (x - clean)[places] / steps
        x[places] = queries.clip(x[places] + adam.step(places, gradient.astype(np.float32)))
        margin = queries.margins(at, x.reshape(-1, *problem.spec.shape))
        reached |= margin < 0
    return reached


def _coordinates(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[Int64Array, Int64Array]:
    """``PARALLEL`` different coordinates of each of k samples, or all of them.

    As an index of [k, elements].
    """
    k, elements = shape
    chosen = np.argsort(rng.random(shape), axis=1)[:, : min(PARALLEL, elements)]
    return np.arange(k)[:, None], chosen


def _slopes(
    problem: Problem,
    queries: Scores,
    at: Int64Array,
    x: FloatArray,
    places: tuple[Int64Array, Int64Array],
    width: FloatArray,
) -> FloatArray:
    """Change of the margin per input range between grid points to either side: [k, m].

    They lie ``width`` [k, 1] levels from ``x``.
    """
    rows, chosen = places
    room = max(1, _PROBE_BYTES // max(1, 8 * x.size))
    parts = [chosen[:, start : start + room] for start in range(0, chosen.shape[1], room)]
    return np.concatenate(
        [_part_slopes(problem, queries, at, np.rint(x), (rows, part), width) for part in parts],
        axis=1,
    )


def _part_slopes(
    problem: Problem,
    queries: Scores,
    at: Int64Array,
    x: FloatArray,
    places: tuple[Int64Array, Int64Array],
    width: FloatArray,
) -> FloatArray:
    rows, chosen = places
    k, m = chosen.shape
    upper, lower = (queries.clip(x[places] + by) for by in (width, -width))
    probes = np.repeat(x[None], 2 * m, axis=0).reshape(2, m, k, -1)
    for side, end in enumerate((upper, lower)):
        probes[side, np.arange(m)[:, None], rows.T, chosen.T] = end.T
    margins = queries.margins(np.tile(at, 2 * m), probes.reshape(-1, *problem.spec.shape)).reshape(
        2, m, k
    )
    return np.asarray(
        (margins[0] - margins[1]).T * problem.spec.steps / (upper - lower), np.float32
    )


PAPER = "Chen et al. 2017, arXiv:1708.03999"
ROWS = (
    AttackInfo(
        "zoo",
        "ZOO, 1 constant, 100 steps of 128 coordinates",
        Needs.SCORES,
        Norm.L2,
        PAPER,
        partial(zoo, constant=10.0, searches=1, iterations=100),
        minimises=True,
    ),
    AttackInfo(
        "zoo-s4",
        "ZOO, 5 constants, 10 steps of 128 coordinates",
        Needs.SCORES,
        Norm.L2,
        f"{PAPER}, as in Costa and Pinto 2024, arXiv:2404.05688",
        partial(zoo, constant=0.01, searches=5, iterations=10),
        minimises=True,
    ),
)
