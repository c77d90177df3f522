"""EAD: Carlini and Wagner's loss under an elastic net, so that few elements change.

By accelerated shrinkage.

Chen et al. 2018, section 3. Own code: compiled, it is several times as fast as Foolbox's on a small
network.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from tinyrobust.attacks.base.problem import AttackInfo, Needs, Norm, Problem
from tinyrobust.attacks.gradients.best import where
from tinyrobust.attacks.gradients.brackets import bracketed
from tinyrobust.attacks.gradients.graphs import SourceGraph, Tensor, clean, graph
from tinyrobust.attacks.gradients.lazy import tf
from tinyrobust.attacks.gradients.losses import lead
from tinyrobust.core.types import FloatArray

BETA = 1e-3
"""Weight of L1 against squared L2, and the least that an element moves; the paper's."""


def ead(
    problem: Problem, searches: int = 9, steps: int = 200, const: float = 1e-3, rate: float = 1e-2
) -> FloatArray:
    """The smallest elastic net (EN rule): ``searches`` constants from ``const`` on, ``steps`` from
    ``rate`` for each.

    The defaults are the paper's, but for its 1,000 steps.
    """
    x, descend = clean(problem), graph(problem).compiled(_search)
    return bracketed(
        problem, searches, const, lambda weight: descend(x, problem.labels, weight, rate, steps)
    )


def _search(graph: SourceGraph) -> Any:
    def run(
        x: Tensor, labels: Tensor, const: Tensor, rate: Tensor, steps: Tensor
    ) -> tuple[Tensor, Tensor]:
        def body(i: Tensor, at: Tensor, ahead: Tensor, best: Tensor, least: Tensor) -> Any:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(ahead)
                loss = const * tf.nn.relu(-lead(graph.logits(ahead), labels, labels)) + _sum(
                    (ahead - x) ** 2
                )
            t = tf.cast(i, tf.float32)
            pace = rate * tf.sqrt(1 - t / tf.cast(steps, tf.float32))
            moved = _shrunk(ahead - pace * tape.gradient(loss, ahead), x)
            net = BETA * _sum(tf.abs(moved - x)) + _sum((moved - x) ** 2)
            size = tf.where(lead(graph.logits(moved), labels, labels) > 0, net, float("inf"))
            best, least = where(size < least, moved, best), tf.minimum(size, least)
            return i + 1, moved, moved + t / (t + 3) * (moved - at), best, least

        state = (0, x, x, x, tf.fill(tf.shape(labels), float("inf")))
        *_, best, least = tf.while_loop(lambda i, *_: i < steps, body, state, parallel_iterations=1)
        return best, least

    n, number = tf.TensorSpec((None,), tf.float32), tf.TensorSpec((), tf.float32)
    signature = [graph.pixels, graph.labels, n, number, tf.TensorSpec((), tf.int32)]
    return tf.function(run, input_signature=signature, autograph=False)


def _shrunk(moved: Tensor, x: Tensor) -> Tensor:
    """``moved`` nearer ``x`` by ``BETA``, all the way where it was within it, and inside [0, 1]."""
    change = moved - x
    return tf.clip_by_value(x + tf.sign(change) * tf.nn.relu(tf.abs(change) - BETA), 0.0, 1.0)


def _sum(x: Tensor) -> Tensor:
    return tf.reduce_sum(x, tuple(range(1, len(x.shape))))


_PAPER = "Chen et al. 2018, arXiv:1709.04114"
ROWS = (
    AttackInfo(
        "ead",
        "EAD, EN rule, 9 times 200 steps",
        Needs.GRADIENTS,
        Norm.L1,
        _PAPER,
        ead,
        minimises=True,
    ),
    AttackInfo(
        "ead-s4",
        "EAD, EN rule, 10 times 10 steps",
        Needs.GRADIENTS,
        Norm.L1,
        f"{_PAPER}, as in Costa and Pinto 2024, arXiv:2404.05688",
        partial(ead, searches=10, steps=10, const=0.01),
        minimises=True,
    ),
)
