"""Carlini and Wagner's search: Adam on the perturbation's size and on how right the source is.

The second has a constant as its weight, in pixels; the smallest perturbation on the way that fools
is kept.

Carlini and Wagner 2017, arXiv:1608.04644, section V, with their loss f6. Pixels are kept in [0, 1]
by projection, the first of the three ways that section V-B names: their change of variables hardly
moves a pixel that is black or white to begin with, unless given thousands of steps.
"""

from __future__ import annotations

from typing import Any

from tinyrobust.attacks.base.problem import Norm
from tinyrobust.attacks.gradients.best import where, wide
from tinyrobust.attacks.gradients.graphs import Seen, SourceGraph, Tensor
from tinyrobust.attacks.gradients.lazy import tf
from tinyrobust.attacks.gradients.losses import lead
from tinyrobust.attacks.gradients.plane import LENGTHS

BETA1, BETA2, TINY = 0.9, 0.999, 1e-8
"""Adam's, as published."""


def search(graph: SourceGraph, norm: Norm, seen: Seen) -> Any:
    """Compiles the search: the fooling pixels nearest ``x``, and how far they are.

    A function of (x, begin, labels, const, tau, rate, steps). ``seen`` is what the source makes of
    pixels: how far they are is measured on that.

    ``x`` clean and ``begin`` first pixels, [n, *shape]; ``const`` float32 [n]; ``rate`` Adam's. The
    penalty is the squared length in L2; in Linf it is what elements move beyond ``tau`` float32
    [n]. Ends after ``steps``, or when every sample has come within ``tau``. [n, *shape] and [n]:
    infinite where nothing fooled.
    """
    length = LENGTHS[norm]
    penalty = _squares if norm is Norm.L2 else _excess

    def run(
        x: Tensor,
        begin: Tensor,
        labels: Tensor,
        const: Tensor,
        tau: Tensor,
        rate: Tensor,
        steps: Tensor,
    ) -> tuple[Tensor, Tensor]:
        def unfinished(
            i: Tensor, at: Tensor, mean: Tensor, var: Tensor, best: Tensor, least: Tensor
        ) -> Tensor:
            return (i < steps) & tf.reduce_any(least > tau)

        def body(
            i: Tensor, at: Tensor, mean: Tensor, var: Tensor, best: Tensor, least: Tensor
        ) -> Any:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(at)
                ahead = lead(graph.logits(at), labels, labels)
                loss = const * tf.nn.relu(-ahead) + penalty(at - x, tau)
            slope = tape.gradient(loss, at)
            reached = tf.where(ahead > 0, length(seen(at) - x), float("inf"))
            best, least = where(reached < least, at, best), tf.minimum(reached, least)
            mean, var = BETA1 * mean + (1 - BETA1) * slope, BETA2 * var + (1 - BETA2) * slope**2
            t = tf.cast(i + 1, tf.float32)
            move = mean / (1 - BETA1**t) / (tf.sqrt(var / (1 - BETA2**t)) + TINY)
            return i + 1, tf.clip_by_value(at - rate * move, 0.0, 1.0), mean, var, best, least

        zero, none = tf.zeros_like(x), tf.fill(tf.shape(labels), float("inf"))
        *_, best, least = tf.while_loop(
            unfinished, body, (0, begin, zero, zero, x, none), parallel_iterations=1
        )
        return best, least

    n, number = tf.TensorSpec((None,), tf.float32), tf.TensorSpec((), tf.float32)
    signature = [
        graph.pixels,
        graph.pixels,
        graph.labels,
        n,
        n,
        number,
        tf.TensorSpec((), tf.int32),
    ]
    return tf.function(run, input_signature=signature, autograph=False)


def _squares(change: Tensor, tau: Tensor) -> Tensor:
    return _sum(change**2)


def _excess(change: Tensor, tau: Tensor) -> Tensor:
    return _sum(tf.nn.relu(tf.abs(change) - wide(tau, change)))


def _sum(x: Tensor) -> Tensor:
    return tf.reduce_sum(x, tuple(range(1, len(x.shape))))
