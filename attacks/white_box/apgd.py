"""Auto-PGD: gradient descent with momentum that halves its step where it stops to improve.

Croce and Hein 2020, section 3 and algorithm 1: no step size to choose. Every constant below is
theirs.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinyrobust.attacks.base.problem import Attack, AttackInfo, Needs, Norm, Problem
from tinyrobust.attacks.gradients import ball
from tinyrobust.attacks.gradients.attempts import Attempts
from tinyrobust.attacks.gradients.best import Best, nothing, where, wide
from tinyrobust.attacks.gradients.graphs import SourceGraph, Tensor, clean, graph
from tinyrobust.attacks.gradients.lazy import tf
from tinyrobust.attacks.gradients.losses import (
    Loss,
    gradient,
    lead,
    ratio,
    targeted_ratio,
    towards,
    unsaturated,
)
from tinyrobust.attacks.gradients.targets import TARGETS, likeliest
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import FloatArray, Int64Array

STEPS = 100
MOMENTUM = 0.75
FIRST_STEP = 2.0
"""Relative to eps."""
ENOUGH = 0.75
"""Share of the steps since the last checkpoint that must have raised the loss."""
FIRST_PERIOD, PERIOD_DECREASE, LAST_PERIOD = 0.22, 0.03, 0.06
"""Steps between checkpoints as shares of all steps: from the first, shorter by the decrease, down
to the last.
"""
CLASSES: dict[Loss, int] = {ratio: 3, targeted_ratio: 4}
"""Classes below which a loss is undefined."""


class State(NamedTuple):
    """After a step; [n, ...] each.

    ``peak`` is where the loss was largest, and its gradient there.
    """

    at: Tensor
    before: Tensor
    slope: Tensor
    loss: Tensor
    peak: Tensor
    peak_slope: Tensor
    peak_loss: Tensor
    step: Tensor
    rises: Tensor
    """Steps since the last checkpoint that raised the loss."""
    halved: Tensor
    """Whether the last checkpoint halved the step."""
    checked_loss: Tensor
    """``peak_loss`` at the last checkpoint."""
    best: Best


def apgd(problem: Problem, loss: Loss, steps: int = STEPS, restarts: int = 1) -> FloatArray:
    """Auto-PGD on an untargeted ``loss`` from each of ``restarts`` random points of the Linf ball.

    In real units.

    Raises UsageError on a network with too few classes for the loss.
    """
    check_classes(problem, loss)
    attempts = Attempts(problem)
    for restart in range(restarts):
        if len(attempts.left):
            attempts.add(ascend(attempts.rest, loss, attempts.rest.labels, restart, steps))
    return attempts.real()


def apgd_t(problem: Problem, steps: int = STEPS) -> FloatArray:
    """Auto-PGD towards each of ``TARGETS`` classes, AutoAttack's second part, in real units."""
    attempts = Attempts(problem)
    climb_targets(attempts, graph(problem).classes, steps)
    return attempts.real()


def climb_targets(attempts: Attempts, classes: int, steps: int = STEPS) -> None:
    """Adds to ``attempts`` a run on the targeted ratio towards each of ``TARGETS`` classes.

    The ratio needs four classes. With three there is one run on the untargeted ratio, as published;
    with two, where no ratio is defined, one on the margin.
    """
    if classes > 3:
        for rank in range(min(TARGETS, classes - 1)):
            if len(attempts.left):
                rest = attempts.rest
                towards_it = likeliest(rest)[rank]
                attempts.add(ascend(rest, targeted_ratio, towards_it, 1 + rank, steps))
    elif len(attempts.left):
        rest = attempts.rest
        attempts.add(ascend(rest, ratio if classes == 3 else lead, rest.labels, 1, steps))


def check_classes(problem: Problem, loss: Loss) -> None:
    """Raises UsageError on a network with too few classes for the loss."""
    least, there = CLASSES.get(loss, 2), graph(problem).classes
    if there < least:
        raise UsageError(
            f"the difference of logits ratio needs {least} classes, "
            f"{problem.queried().rung} has {there}: use apgd-ce"
        )


def ascend(
    problem: Problem, loss: Loss, targets: Int64Array, start: int, steps: int = STEPS
) -> FloatArray:
    """One run from random point number ``start``.

    Returns the best iterate of each sample, pixels [n, *shape].
    """
    x, begin = clean(problem), ball.scattered(problem, start)
    climb = graph(problem).compiled(_climb, loss)
    return np.asarray(
        climb(x, begin, problem.labels, targets, ball.radius(problem), periods(steps))
    )


def periods(steps: int) -> NDArray[np.int32]:
    """At each step how many steps ago the last checkpoint was, where the next one is due.

    0 at the others; int32 [steps].
    """
    due = np.zeros(steps, np.int32)
    first, decrease, last = (
        max(int(share * steps), 1) for share in (FIRST_PERIOD, PERIOD_DECREASE, LAST_PERIOD)
    )
    at, period = first, first
    while at <= steps:
        due[at - 1] = period
        period = max(period - decrease, last)
        at += period
    return due


def _climb(graph: SourceGraph, loss: Loss) -> Any:
    def climb(
        x: Tensor, begin: Tensor, labels: Tensor, targets: Tensor, eps: Tensor, due: Tensor
    ) -> Tensor:
        def body(i: Tensor, now: State) -> tuple[Tensor, State]:
            ahead = ball.projected(now.at + wide(now.step, x) * tf.sign(now.slope), x, eps)
            share = tf.where(i > 0, MOMENTUM, 1.0)
            moved = now.at + share * (ahead - now.at) + (1 - share) * (now.at - now.before)
            at = ball.projected(moved, x, eps)
            fooled, value, slope = gradient(graph, loss, at, labels, targets)
            higher = value > now.peak_loss
            after = now._replace(
                at=at,
                before=now.at,
                slope=slope,
                loss=value,
                peak=where(higher, at, now.peak),
                peak_slope=where(higher, slope, now.peak_slope),
                peak_loss=tf.maximum(value, now.peak_loss),
                rises=now.rises + tf.cast(value > now.loss, tf.int32),
                best=now.best.update(at, fooled, value),
            )
            return i + 1, tf.cond(due[i] > 0, lambda: _checked(after, due[i]), lambda: after)

        fooled, value, slope = gradient(graph, loss, begin, labels, targets)
        zero = tf.zeros_like(labels, tf.int32)
        step = tf.fill(tf.shape(labels), FIRST_STEP * eps)
        best = nothing(x).update(begin, fooled, value)
        state = State(
            begin, begin, slope, value, begin, slope, value, step, zero, zero > 0, value, best
        )
        _, end = tf.while_loop(
            lambda i, _: i < tf.size(due), body, (0, state), parallel_iterations=1
        )
        return end.best.pixels

    signature = [graph.pixels, graph.pixels, graph.labels, graph.labels]
    numbers = [tf.TensorSpec((), tf.float32), tf.TensorSpec((None,), tf.int32)]
    return tf.function(climb, input_signature=signature + numbers, autograph=False)


def _checked(now: State, period: Tensor) -> State:
    """A checkpoint: samples that rose too rarely go back to their peak.

    So do those that did not rise at all since the last one.
    """
    rare = tf.cast(now.rises, tf.float32) <= ENOUGH * tf.cast(period, tf.float32)
    stuck = ~now.halved & (now.checked_loss >= now.peak_loss)
    halve = rare | stuck
    return now._replace(
        at=where(halve, now.peak, now.at),
        slope=where(halve, now.peak_slope, now.slope),
        loss=tf.where(halve, now.peak_loss, now.loss),
        step=tf.where(halve, now.step / 2, now.step),
        rises=tf.zeros_like(now.rises),
        halved=halve,
        checked_loss=now.peak_loss,
    )


def _row(name: str, title: str, function: Attack, loss: Loss) -> AttackInfo:
    """One of the two: seen as one class against all others, a network has no ratio."""
    paper = "Croce and Hein 2020, arXiv:2003.01690"
    return AttackInfo(
        name,
        title,
        Needs.GRADIENTS,
        Norm.LINF,
        paper,
        function,
        loss=loss,
        aims=loss is not ratio,
    )


ROWS = (
    _row("apgd-ce", "Auto-PGD, cross-entropy", partial(apgd, loss=unsaturated), unsaturated),
    _row("apgd-dlr", "Auto-PGD, DLR", partial(apgd, loss=ratio), ratio),
    _row("apgd-t", f"Auto-PGD, DLR towards {TARGETS} classes", apgd_t, towards),
)
