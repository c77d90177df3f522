"""DDN: decoupled direction and norm.

Rony et al. 2019, algorithm 1: the direction follows the gradient, the norm shrinks while the source
is fooled and grows while it is not. Own code: compiled, and it judges what it has found by the size
that reaches the chip (the authors' code rounds inside its loop, too).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyrobust.attacks.base.problem import AttackInfo, Lattice, Needs, Norm, Problem
from tinyrobust.attacks.gradients.best import where, wide
from tinyrobust.attacks.gradients.graphs import Seen, SourceGraph, Tensor, clean, graph, seen_by
from tinyrobust.attacks.gradients.lazy import tf
from tinyrobust.attacks.gradients.losses import gradient, unsaturated
from tinyrobust.attacks.gradients.minimal import fooling_or_clean
from tinyrobust.attacks.gradients.plane import LENGTHS
from tinyrobust.core.types import FloatArray

FIRST_STEP, LAST_STEP = 1.0, 0.01
"""Length of a step along the gradient, from one to the other by half a cosine; the paper's."""


def ddn(problem: Problem, steps: int = 100, first: float = 1.0, factor: float = 0.05) -> FloatArray:
    """L2 from a ball of ``first``, which ``factor`` shrinks or grows at each step.

    The defaults are the paper's.
    """
    search = graph(problem).compiled(_search, seen_by(problem))
    pixels = search(clean(problem), problem.labels, first, factor, steps)
    return fooling_or_clean(problem, np.asarray(pixels))


def _search(graph: SourceGraph, seen: Seen) -> Any:
    length = LENGTHS[Norm.L2]

    def search(x: Tensor, labels: Tensor, first: Tensor, factor: Tensor, steps: Tensor) -> Tensor:
        def body(i: Tensor, at: Tensor, ball: Tensor, best: Tensor, least: Tensor) -> Any:
            fooled, _, slope = gradient(graph, unsaturated, at, labels, labels)
            reached = tf.where(fooled, length(seen(at) - x), float("inf"))
            best, least = where(reached < least, at, best), tf.minimum(reached, least)
            turn = tf.cos(math.pi * tf.cast(i, tf.float32) / tf.cast(steps, tf.float32))
            step = LAST_STEP + (FIRST_STEP - LAST_STEP) * (1 + turn) / 2
            away = at - x + step * tf.math.divide_no_nan(slope, wide(length(slope), x))
            ball *= tf.where(fooled, 1 - factor, 1 + factor)
            away *= wide(tf.math.divide_no_nan(ball, length(away)), x)
            return i + 1, tf.clip_by_value(x + away, 0.0, 1.0), ball, best, least

        n = tf.shape(labels)
        state = (0, x, tf.fill(n, first), x, tf.fill(n, float("inf")))
        _, at, _, best, least = tf.while_loop(
            lambda i, *_: i < steps, body, state, parallel_iterations=1
        )
        fooled = tf.argmax(graph.logits(at), 1) != labels
        return where(fooled & (length(seen(at) - x) < least), at, best)

    number = tf.TensorSpec((), tf.float32)
    signature = [graph.pixels, graph.labels, number, number, tf.TensorSpec((), tf.int32)]
    return tf.function(search, input_signature=signature, autograph=False)


ROWS = (
    AttackInfo(
        "ddn",
        "DDN, 100 steps",
        Needs.GRADIENTS,
        Norm.L2,
        "Rony et al. 2019, arXiv:1811.09600",
        ddn,
        minimises=True,
        loss=unsaturated,
        lattice=Lattice.INNER,
    ),
)
