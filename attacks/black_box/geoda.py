"""GeoDA: the boundary is taken as flat, and the clean sample moved along its normal.

The normal is estimated in low frequencies.

Rahmati et al. 2020, L2. Foolbox has none, and ART's does not run.
"""

from __future__ import annotations

import math
from functools import lru_cache, partial

import numpy as np

from tinyrobust.attacks.base.problem import AttackInfo, Needs, Norm, Problem
from tinyrobust.attacks.black_box.normals import Draw, normal
from tinyrobust.attacks.black_box.queries import Decisions
from tinyrobust.attacks.black_box.starts import (
    TRIES,
    first_adversarial,
    lengths,
    starts,
    to_boundary,
)
from tinyrobust.attacks.black_box.windows import as_images
from tinyrobust.core.types import FloatArray, Int64Array

DECAY = 0.6
"""The t-th of T estimates is given a share of the probes proportional to ``DECAY ** (-2 t / 3)``
(the paper's).
"""

ITERATIONS = 8
"""One for every 500 probes, as in the authors' code."""

SPREAD = 2e-4
"""Standard deviation of the probes in multiples of the input range, as in the authors' code; less
than a level of an int8 grid, where a level is taken.
"""

REACH, GROWTH = 15, 1.3
"""Distances tried along a normal, each ``GROWTH`` times the last: from half the best one so far to
twenty times it.
"""


def geoda(problem: Problem, probes: int, tolerance: float, side: int) -> FloatArray:
    """The closest adversarial grid point found with ``probes`` decisions around boundary points.

    The points asked on the way between count, too.

    ``side`` frequencies per axis, as far as the image has so many; bisections end at ``tolerance``
    of the input range.
    """
    rng = np.random.default_rng(problem.seed)
    halvings = math.ceil(math.log2(math.sqrt(problem.spec.size) / tolerance))
    queries = Decisions(problem, budget(probes, halvings))
    at, points = starts(problem, queries, rng)
    points = to_boundary(queries, at, points, halvings)
    draw = low_frequencies(problem.spec.shape, side)
    for count in _shares(probes):
        if not len(at):
            break
        spread = np.full_like(lengths(points), SPREAD * problem.spec.steps)
        direction = normal(queries, rng, at, points, count, spread, draw)
        closer = to_boundary(queries, at, _out(queries, at, points, direction), halvings)
        better = lengths(closer - queries.clean[at]) < lengths(points - queries.clean[at])
        points = np.asarray(np.where(better, closer, points), np.float32)
    return queries.result


def budget(probes: int, halvings: int) -> int:
    """Most queries of a sample."""
    return 1 + TRIES + halvings + sum(_shares(probes)) + ITERATIONS * (REACH + halvings)


def _shares(probes: int) -> list[int]:
    weights = DECAY ** (-2 / 3 * np.arange(ITERATIONS))
    return [max(1, int(share)) for share in probes * weights / weights.sum()]


def _out(
    queries: Decisions, at: Int64Array, points: FloatArray, direction: FloatArray
) -> FloatArray:
    """From the clean samples along ``direction`` to where it is adversarial.

    ``points`` where no distance is.
    """
    clean = queries.clean[at]
    size = lengths(points - clean) * np.float32(0.5)
    return first_adversarial(queries, at, points, clean, (direction, size, GROWTH), REACH)


def low_frequencies(shape: tuple[int, ...], side: int) -> Draw:
    """Draws combinations of each channel's ``side`` lowest cosines per axis.

    The coefficients are normal.
    """

    def draw(rng: np.random.Generator, wanted: tuple[int, ...]) -> FloatArray:
        _, h, w, c = as_images(np.zeros((1, *shape), np.float32)).shape
        rows, columns = cosines(h, min(side, h)), cosines(w, min(side, w))
        coefficients = rng.standard_normal(
            (wanted[0], rows.shape[1], columns.shape[1], c), np.float32
        )
        images = np.einsum("hi,kijc,wj->khwc", rows, coefficients, columns, optimize=True)
        scale = math.sqrt(h * w / (rows.shape[1] * columns.shape[1]))
        return np.asarray(images.reshape(wanted) * scale, np.float32)

    return draw


@lru_cache(maxsize=8)
def cosines(n: int, count: int) -> FloatArray:
    """The ``count`` lowest vectors of the orthonormal DCT-II basis as columns.

    float32 [n, count].
    """
    basis = np.cos(np.pi / n * np.outer(np.arange(n) + 0.5, np.arange(count))) * math.sqrt(2 / n)
    basis[:, 0] = math.sqrt(1 / n)
    return np.asarray(basis, np.float32)


PAPER = "Rahmati et al. 2020, arXiv:2003.06468"
PROBES = 4000
"""Costa and Pinto state none: ART's, and within the 500 to 20,000 of the paper."""

ROWS = (
    AttackInfo(
        "geoda",
        f"GeoDA, {PROBES:,} probes",
        Needs.DECISIONS,
        Norm.L2,
        PAPER,
        partial(geoda, probes=PROBES, tolerance=1e-3, side=16),
        minimises=True,
    ),
    AttackInfo(
        "geoda-s4",
        f"GeoDA, {PROBES:,} probes, 75 frequencies an axis",
        Needs.DECISIONS,
        Norm.L2,
        f"{PAPER}, as in Costa and Pinto 2024, arXiv:2404.05688",
        partial(geoda, probes=PROBES, tolerance=1e-4, side=75),
        minimises=True,
    ),
)
