"""FAB: fast adaptive boundary attack, towards one class at a time (FAB-T).

Croce and Hein 2020 (arXiv:1907.02044), section 3: at each step the decision boundary is taken to be
the plane that the gradient draws, the iterate and the clean input are projected on it inside the
image, and the next iterate lies between the two, nearer the clean input the nearer that is to the
plane. Every constant below is theirs. Own code: Foolbox has none, and ART's AutoAttack does
without.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyrobust.attacks.base.problem import AttackInfo, Lattice, Needs, Norm, Problem
from tinyrobust.attacks.gradients import ball
from tinyrobust.attacks.gradients.attempts import Attempts
from tinyrobust.attacks.gradients.best import where, wide
from tinyrobust.attacks.gradients.graphs import Seen, SourceGraph, Tensor, clean, graph, seen_by
from tinyrobust.attacks.gradients.lazy import tf
from tinyrobust.attacks.gradients.losses import gradient, towards, value
from tinyrobust.attacks.gradients.minimal import fooling_or_clean
from tinyrobust.attacks.gradients.plane import LENGTHS, project
from tinyrobust.attacks.gradients.targets import TARGETS, likeliest
from tinyrobust.core.types import FloatArray, Int64Array

STEPS = 100
LARGEST_SHARE = 0.1
"""Of the way from the iterate's projection to the clean input's."""
OVERSHOOT = 1.05
BACK = 0.9
"""Of the way from the clean input to where the iterate went over the boundary."""


def fab(problem: Problem, steps: int = STEPS, targets: int = TARGETS) -> FloatArray:
    """The smallest perturbation in the problem's norm, Linf or L2.

    It is looked for towards each of ``targets`` classes.
    """
    x = clean(problem)
    best, length = x, np.full(len(x), np.inf, np.float32)
    for target in likeliest(problem, targets):
        at, reached = approach(problem, target, steps)
        shorter = reached < length
        best = np.where(shorter.reshape(-1, *(1,) * (x.ndim - 1)), at, best)
        length = np.minimum(length, reached)
    return fooling_or_clean(problem, best)


def approach(
    problem: Problem, targets: Int64Array, steps: int = STEPS
) -> tuple[FloatArray, FloatArray]:
    """Towards ``targets`` int64 [n]: the fooling pixels nearest the clean input.

    And how far they are, [n]; infinitely where there are none.
    """
    search = graph(problem).compiled(_search, problem.norm, seen_by(problem))
    at, length = search(clean(problem), problem.labels, targets, steps)
    return np.asarray(at), np.asarray(length)


def _search(graph: SourceGraph, norm: Norm, seen: Seen) -> Any:
    length = LENGTHS[norm]

    def search(x: Tensor, labels: Tensor, targets: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        def body(
            i: Tensor, at: Tensor, best: Tensor, least: Tensor
        ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
            _, height, slope = gradient(graph, towards, at, labels, targets)
            offset = tf.reduce_sum(slope * (x - at), tuple(range(1, len(x.shape))))
            near, far = project(norm, at, slope, height), project(norm, x, slope, height + offset)
            ours, clean = length(near), length(far)
            share = wide(tf.minimum(tf.math.divide_no_nan(ours, ours + clean), LARGEST_SHARE), x)
            mixed = (1 - share) * (at + OVERSHOOT * near) + share * (x + OVERSHOOT * far)
            at = tf.clip_by_value(mixed, 0.0, 1.0)
            over, _ = value(graph, towards, at, labels, targets)
            reached = tf.where(over, length(seen(at) - x), float("inf"))
            best, least = where(reached < least, at, best), tf.minimum(reached, least)
            return i + 1, where(over, x + BACK * (at - x), at), best, least

        state = (0, x, x, tf.fill(tf.shape(labels), float("inf")))
        _, _, best, least = tf.while_loop(
            lambda i, *_: i < steps, body, state, parallel_iterations=1
        )
        return best, least

    signature = [graph.pixels, graph.labels, graph.labels, tf.TensorSpec((), tf.int32)]
    return tf.function(search, input_signature=signature, autograph=False)


def inside(problem: Problem, rank: int) -> FloatArray:
    """FAB towards the likeliest class but ``rank``, in the Linf ball: pixels [n, *shape].

    What it finds is drawn out to the border of the ball: just over the boundary, rounding would
    bring it back.
    """
    x, eps = clean(problem), ball.radius(problem)
    at, length = approach(replace(problem, norm=Norm.LINF), likeliest(problem)[rank])
    stretch = np.where(np.isfinite(length), eps / np.maximum(length, 1e-12), 0).astype(np.float32)
    away = np.clip((at - x) * stretch.reshape(-1, *(1,) * (x.ndim - 1)), -eps, eps)
    drawn: FloatArray = np.clip(x + away, 0, 1).astype(np.float32)
    return drawn


def fab_t(problem: Problem, targets: int = TARGETS) -> FloatArray:
    """AutoAttack's third part alone: FAB towards each of ``targets`` classes, in the Linf ball."""
    attempts = Attempts(problem)
    for rank in range(min(targets, graph(problem).classes - 1)):
        if len(attempts.left):
            attempts.add(inside(attempts.rest, rank))
    return attempts.real()


_PAPER = "Croce and Hein 2020, arXiv:1907.02044"


def _row(name: str, title: str, norm: Norm) -> AttackInfo:
    return AttackInfo(
        name,
        title,
        Needs.GRADIENTS,
        norm,
        _PAPER,
        fab,
        minimises=True,
        loss=towards,
        lattice=Lattice.INNER,
    )


ROWS = (
    _row("fab", "FAB Linf", Norm.LINF),
    _row("fab-l2", "FAB L2", Norm.L2),
    AttackInfo(
        "fab-t",
        f"FAB towards {TARGETS} classes",
        Needs.GRADIENTS,
        Norm.LINF,
        f"{_PAPER}, as in AutoAttack, arXiv:2003.01690",
        fab_t,
        loss=towards,
    ),
)
