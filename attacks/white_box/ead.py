"""EAD: Carlini and Wagner's loss under an elastic net, so that few elements change.

By accelerated shrinkage.

Chen et al. 2018, section 3. Own code: compiled, it is several times as fast as Foolbox's on a small
network.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tinyrobust.attacks.base.problem import Attack, AttackInfo, Lattice, Needs, Norm, Problem
from tinyrobust.attacks.gradients.best import where
from tinyrobust.attacks.gradients.brackets import bracketed
from tinyrobust.attacks.gradients.graphs import Seen, SourceGraph, Tensor, clean, graph, seen_by
from tinyrobust.attacks.gradients.lazy import tf
from tinyrobust.attacks.gradients.losses import lead
from tinyrobust.core.types import FloatArray

BETA = 1e-3
"""Weight of L1 against squared L2, and the least that an element moves; the paper's."""


Rule = Callable[[Tensor], Tensor]
"""What makes one success smaller than another: of a change [n, *shape], [n]."""


def elastic_net(change: Tensor) -> Tensor:
    """The EN rule: squared L2, and L1 with the weight ``BETA``."""
    return BETA * least_sum(change) + _sum(change**2)


def least_sum(change: Tensor) -> Tensor:
    """The L1 rule."""
    return _sum(tf.abs(change))


def ead(
    problem: Problem,
    rule: Rule = elastic_net,
    searches: int = 9,
    steps: int = 200,
    const: float = 1e-3,
    rate: float = 1e-2,
) -> FloatArray:
    """The success that is smallest by ``rule`` of ``searches`` constants from ``const`` on.

    Each takes ``steps`` from ``rate``. The defaults are the paper's, but for its 1,000 steps.
    """
    x, descend = clean(problem), graph(problem).compiled(_search, rule, seen_by(problem))
    return bracketed(
        problem, searches, const, lambda weight: descend(x, problem.labels, weight, rate, steps)
    )


def _search(graph: SourceGraph, rule: Rule, seen: Seen) -> Any:
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
            fooled = lead(graph.logits(moved), labels, labels) > 0
            size = tf.where(fooled, rule(seen(moved) - x), float("inf"))
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


def _row(name: str, title: str, function: Attack, preset: str = "") -> AttackInfo:
    return AttackInfo(
        name,
        title,
        Needs.GRADIENTS,
        Norm.L1,
        f"Chen et al. 2018, arXiv:1709.04114{preset}",
        function,
        minimises=True,
        loss=lead,
        lattice=Lattice.INNER,
    )


ROWS = (
    _row("ead", "EAD, EN rule, 9 times 200 steps", ead),
    _row("ead-l1", "EAD, L1 rule, 9 times 200 steps", partial(ead, rule=least_sum)),
    _row(
        "ead-s4",
        "EAD, EN rule, 10 times 10 steps",
        partial(ead, searches=10, steps=10, const=0.01),
        ", as in Costa and Pinto 2024, arXiv:2404.05688",
    ),
)
