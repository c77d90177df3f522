"""JSMA: the pair of elements that helps a target class most rises by theta.

The Jacobian's saliency map names it.

Papernot et al. 2016, algorithm 3, on logits (softmax gradients of a target and of all others
cancel). A pair's merit is the product of what it gives the target and what it takes from the
others; the paper looks at all pairs, here of the ``CANDIDATES`` elements whose gain less loss is
largest, which bounds that product from above.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tinyrobust.attacks.base.problem import AttackInfo, Needs, Norm, Problem
from tinyrobust.attacks.gradients.best import where
from tinyrobust.attacks.gradients.graphs import SourceGraph, Tensor, clean, graph
from tinyrobust.attacks.gradients.lazy import tf
from tinyrobust.attacks.gradients.losses import towards
from tinyrobust.attacks.gradients.minimal import fooling_or_clean
from tinyrobust.attacks.gradients.targets import likeliest
from tinyrobust.core.types import FloatArray

CANDIDATES = 64
PAUSE = 16
"""Iterations after which samples that are done leave the batch."""


def jsma(
    problem: Problem, theta: float = 1.0, gamma: float = 0.145, targets: int = 9
) -> FloatArray:
    """L0: ``theta`` in pixels at a time, on at most the share ``gamma`` of all elements.

    Untargeted: towards each of the ``targets`` likeliest other classes; the one that takes the
    fewest elements is kept. The defaults are the paper's.
    """
    x, source = clean(problem), graph(problem)
    best, least = x.copy(), np.full(len(x), int(gamma * x[:1].size) + 1, np.int32)
    todo = np.flatnonzero(~source.fooled(x, problem.labels))
    for target in likeliest(problem, targets) if len(todo) else ():
        # Fewer than the best so far, or none: a class that takes as many is given up on the way.
        here = (x[todo], problem.labels[todo], target[todo])
        tried = _raise(source, *here, theta, least[todo] - 1)
        changed = np.sum(tried != x[todo], axis=tuple(range(1, x.ndim)))
        won = source.fooled(tried, problem.labels[todo]) & (changed < least[todo])
        best[todo[won]], least[todo[won]] = tried[won], changed[won]
    return fooling_or_clean(problem, best)


def _raise(
    source: SourceGraph, x: FloatArray, labels: Any, targets: Any, theta: float, most: Any
) -> FloatArray:
    """``x`` [n, *shape] with pairs raised until it fools the source, or no pair is left.

    At most ``most`` int32 [n] elements are changed.
    """
    climb = source.compiled(_climb)
    at: FloatArray = x.copy()
    left = np.arange(len(x))
    while len(left):
        moved, active = climb(at[left], x[left], labels[left], targets[left], theta, most[left])
        at[left] = np.asarray(moved)
        left = left[np.asarray(active)]
    return at


def _climb(graph: SourceGraph) -> Any:
    def climb(
        at: Tensor, x: Tensor, labels: Tensor, targets: Tensor, theta: Tensor, most: Tensor
    ) -> Any:
        def body(i: Tensor, at: Tensor, active: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            logits, gain, loss = _saliency(graph, at, targets)
            pair, there = _pair(gain, loss, _flat(at) < 1)
            changed = tf.math.count_nonzero(_flat(at) != _flat(x), 1, dtype=tf.int32)
            active &= (tf.argmax(logits, 1) == labels) & there & (changed + 2 <= most)
            risen = tf.minimum(at + theta * tf.reshape(pair, tf.shape(at)), 1.0)
            return i + 1, where(active, risen, at), active

        state = (0, at, tf.fill(tf.shape(labels), True))
        _, at, active = tf.while_loop(lambda i, *_: i < PAUSE, body, state, parallel_iterations=1)
        return at, active

    number, count = tf.TensorSpec((), tf.float32), tf.TensorSpec((None,), tf.int32)
    signature = [graph.pixels, graph.pixels, graph.labels, graph.labels, number, count]
    return tf.function(climb, input_signature=signature, autograph=False)


def _saliency(graph: SourceGraph, at: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, and two gradients for each element [n, size].

    That of the target's logit and that of the sum of all others.
    """
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(at)
        logits = graph.logits(at)
        target = tf.gather(logits, targets, axis=1, batch_dims=1)
        others = tf.reduce_sum(logits, 1) - target
    return logits, _flat(tape.gradient(target, at)), _flat(tape.gradient(others, at))


def _pair(gain: Tensor, loss: Tensor, free: Tensor) -> tuple[Tensor, Tensor]:
    """1 at the two elements of the best pair and 0 elsewhere, float32 [n, size].

    And whether there is a pair, bool [n].
    """
    size = gain.shape[1]
    reach, at = tf.math.top_k(tf.where(free, gain - loss, gain.dtype.min), min(CANDIDATES, size))
    up, down = (tf.gather(g, at, axis=1, batch_dims=1) for g in (gain, loss))
    up, down = (g[:, :, None] + g[:, None, :] for g in (up, down))
    free = reach > gain.dtype.min
    two = (free[:, :, None] & free[:, None, :]) & ~tf.eye(at.shape[1], dtype=tf.bool)
    merit = tf.where(two & (up > 0) & (down < 0), -up * down, 0.0)
    merit = tf.reshape(merit, (-1, at.shape[1] ** 2))
    best = tf.argmax(merit, 1, output_type=tf.int32)
    one, other = (
        tf.gather(at, i, axis=1, batch_dims=1) for i in (best // at.shape[1], best % at.shape[1])
    )
    return tf.one_hot(one, size) + tf.one_hot(other, size), tf.reduce_max(merit, 1) > 0


def _flat(x: Tensor) -> Tensor:
    return tf.reshape(x, (-1, int(np.prod(x.shape[1:]))))


_PAPER = "Papernot et al. 2016, arXiv:1511.07528"
ROWS = (
    AttackInfo(
        "jsma", "JSMA", Needs.GRADIENTS, Norm.L0, _PAPER, jsma, minimises=True, loss=towards
    ),
    AttackInfo(
        "jsma-s4",
        "JSMA, theta 0.08, gamma 1",
        Needs.GRADIENTS,
        Norm.L0,
        f"{_PAPER}, as in Costa and Pinto 2024, arXiv:2404.05688",
        partial(jsma, theta=0.08, gamma=1.0),
        minimises=True,
        loss=towards,
    ),
)
