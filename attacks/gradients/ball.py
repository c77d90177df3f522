"""The Linf ball around the clean input, in pixels: radius, points in it, the way back to it."""

from __future__ import annotations

import numpy as np

from tinyrobust.attacks.base.problem import Problem
from tinyrobust.attacks.gradients.graphs import Tensor, clean
from tinyrobust.attacks.gradients.lazy import tf
from tinyrobust.core.types import FloatArray


def radius(problem: Problem) -> float:
    """The budget as a fraction of the input range."""
    return problem.eps / problem.span


def scattered(problem: Problem, index: int) -> FloatArray:
    """A random point of each sample's ball, uniform in every element.

    Another one for each ``index``.
    """
    rng = np.random.default_rng([problem.seed, index])
    away = rng.uniform(-radius(problem), radius(problem), problem.q.shape)
    found: FloatArray = np.clip(clean(problem) + away, 0, 1).astype(np.float32)
    return found


def projected(moved: Tensor, x: Tensor, eps: Tensor) -> Tensor:
    """``moved`` brought back to the ball of ``eps`` around ``x``, and to [0, 1]."""
    return tf.clip_by_value(tf.clip_by_value(moved, x - eps, x + eps), 0.0, 1.0)
