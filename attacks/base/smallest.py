"""The smallest grid point near an attack's result that still fools the source.

For attacks that minimise; and the nearest grid point, for a study that takes that.
"""

from __future__ import annotations

import numpy as np

from tinyrobust.attacks.base.input_grid import (
    change,
    round_at_random,
    round_inward,
    round_nearest,
    round_outward,
    size,
)
from tinyrobust.attacks.base.problem import Problem
from tinyrobust.core.types import BoolArray, Differentiable, FloatArray, IntArray

DRAWS = 20
"""Random roundings: where a result lies just over the boundary, rounding all of it inward loses it
and all of it outward adds up over thousands of elements.
"""


def smallest(problem: Problem, real: FloatArray) -> tuple[IntArray, int]:
    """``real`` [n, *shape] rounded in several ways, whichever fools with the least.

    Inward, to the nearest point, outward, and ``DRAWS`` times at random. Also how many samples
    fooled the source before rounding and do not in any of these: their nearest point is kept, and
    counts as not found. Results that are grid points already are taken as they are, and ask
    nothing.
    """
    inward, kept, far = (
        function(problem.q, real, problem.spec, problem.levels)
        for function in (round_inward, round_nearest, round_outward)
    )
    if np.array_equal(inward, far):
        return inward, 0
    best = np.full(len(real), np.inf)
    chosen = kept.copy()
    rng = np.random.default_rng([problem.seed, DRAWS])
    drawn = (
        round_at_random(problem.q, real, problem.spec, problem.levels, rng) for _ in range(DRAWS)
    )
    for q in (inward, kept, far, *drawn):
        length = size(change(problem.q, q), problem.norm, problem.spec.steps)
        better = _fooled(problem, q) & (length < best)
        chosen[better], best[better] = q[better], length[better]
    return chosen, int(np.sum(np.isinf(best) & _fooled_before(problem, real)))


def nearest(problem: Problem, real: FloatArray) -> tuple[IntArray, int]:
    """``real`` [n, *shape] with each element at its nearest level, whatever the budget.

    Also how many samples fooled the source before and do not any more.
    """
    q = round_nearest(problem.q, real, problem.spec, problem.levels)
    if problem.source is None or np.array_equal(problem.spec.dequantize(q), real):
        return q, 0
    return q, int(np.sum(~_fooled(problem, q) & _fooled_before(problem, real)))


def _fooled(problem: Problem, q: IntArray) -> BoolArray:
    return np.asarray(
        problem.queried().predict(q).logits.argmax(axis=1) != problem.labels, dtype=np.bool_
    )


def _fooled_before(problem: Problem, real: FloatArray) -> BoolArray:
    """Which samples the result fooled before it was rounded, bool [n].

    A source without gradients cannot be asked between grid points: a result that moved is
    taken at its word.
    """
    source = problem.queried()
    if not isinstance(source, Differentiable):
        return np.asarray(np.any((real != problem.real).reshape(len(real), -1), axis=1))
    import tensorflow as tf

    logits = np.asarray(source.logits(tf.constant(real)))
    return np.asarray(logits.argmax(axis=1) != problem.labels, dtype=np.bool_)
