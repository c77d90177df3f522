"""The normal of a decision boundary, from which of many small perturbations stay adversarial."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyrobust.attacks.black_box.queries import Decisions
from tinyrobust.attacks.black_box.starts import unit
from tinyrobust.core.types import FloatArray, Int64Array

LEAST_PROBE = 1.0
"""Least standard deviation of a probe's elements, in levels: below it most of a probe is rounded
away.
"""

_PROBE_BYTES = 1 << 26
"""Most memory of the probes that are drawn at a time."""

Draw = Callable[[np.random.Generator, tuple[int, ...]], FloatArray]
"""Random directions of a shape [k, *shape], with about unit variance per element."""


def gaussian(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Independent normal elements."""
    return rng.standard_normal(shape, np.float32)


def normal(
    queries: Decisions,
    rng: np.random.Generator,
    at: Int64Array,
    points: FloatArray,
    probes: int,
    spread: FloatArray,
    draw: Draw = gaussian,
) -> FloatArray:
    """Unit normals, to the adversarial side, at ``points`` [k, *shape] of the samples ``at``.

    Asks ``probes`` each.

    ``spread`` is the probes' standard deviation in levels, [k, 1, ...]; at least ``LEAST_PROBE``.
    What counts is the perturbation as rounding leaves it, less the mean decision (the paper's
    baseline).
    """
    spread = np.maximum(spread, np.float32(LEAST_PROBE))
    weighted, plain = np.zeros_like(points), np.zeros_like(points)
    decided = np.zeros(len(at))
    room = max(1, _PROBE_BYTES // max(1, 4 * points.size))
    for start in range(0, probes, room):
        turns = min(room, probes - start)
        directions = draw(rng, (turns * len(at), *points.shape[1:])).reshape(turns, *points.shape)
        tried = queries.clip(np.rint(points + spread * directions))
        fooled = queries.adversarial(
            np.tile(at, turns), tried.reshape(-1, *points.shape[1:])
        ).reshape(turns, len(at))
        sign = np.where(fooled, np.float32(1), np.float32(-1))
        moved = tried - points
        weighted += np.einsum("tk,tk...->k...", sign, moved)
        plain += moved.sum(axis=0)
        decided += sign.sum(axis=0)
    mean = (decided / probes).astype(np.float32).reshape((len(at),) + (1,) * (points.ndim - 1))
    # All decisions alike: the baseline would leave nothing, their plain mean still points
    # somewhere.
    mean[np.abs(mean) == 1] = 0
    return unit(weighted - mean * plain)
