"""Which classes a targeted attack tries, so that it serves as an untargeted one."""

from __future__ import annotations

import numpy as np

from tinyrobust.attacks.base.problem import Problem
from tinyrobust.attacks.gradients.graphs import clean, graph
from tinyrobust.core.types import Int64Array

TARGETS = 9
"""As many as AutoAttack tries: every other class of ten."""


def likeliest(problem: Problem, count: int = TARGETS) -> Int64Array:
    """The ``count`` other classes with the largest logits at the clean input, in that order.

    int64 [<= count, n].
    """
    logits = np.array(graph(problem).logits(clean(problem)), np.float32)
    logits[np.arange(len(logits)), problem.labels] = -np.inf
    order: Int64Array = np.argsort(-logits, axis=1, kind="stable").T.astype(np.int64)
    return order[: min(count, logits.shape[1] - 1)]
