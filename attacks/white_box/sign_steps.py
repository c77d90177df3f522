"""Steps along the sign of the gradient: FGSM, BIM, PGD, MI-FGSM set one compiled loop."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tinyrobust.attacks.base.problem import AttackInfo, Needs, Norm, Problem
from tinyrobust.attacks.gradients import ball
from tinyrobust.attacks.gradients.attempts import Attempts
from tinyrobust.attacks.gradients.best import Best, nothing
from tinyrobust.attacks.gradients.graphs import SourceGraph, Tensor, clean, graph
from tinyrobust.attacks.gradients.lazy import tf
from tinyrobust.attacks.gradients.losses import gradient, unsaturated, value
from tinyrobust.core.types import FloatArray

PGD_STEPS = 20
"""As Madry et al. evaluate on CIFAR-10."""
PGD_SIZE = 2.5 / PGD_STEPS
"""From any start, PGD can reach any point of the ball's border and turn round."""
S4_EPS = (0.0002, 0.0004, 0.0006, 0.0008, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008)
"""The study states that there are twelve from 0.0002 to 0.008, and not which."""


def fgsm(problem: Problem) -> FloatArray:
    """Fast gradient sign method: one step of eps."""
    return follow(problem, 1, 1.0)


def bim(problem: Problem, steps: int = 10, size: float = 0.2) -> FloatArray:
    """Basic iterative method: from the clean input.

    The defaults are Foolbox's, which study S1 took.
    """
    return follow(problem, steps, size)


def pgd(
    problem: Problem, steps: int = PGD_STEPS, size: float = PGD_SIZE, restarts: int = 1
) -> FloatArray:
    """Projected gradient descent: from random points of the ball."""
    return follow(problem, steps, size, restarts)


def mi_fgsm(problem: Problem, steps: int = 10, decay: float = 1.0) -> FloatArray:
    """Momentum iterative method: steps along the sign of all gradients so far.

    Each is ``eps / steps`` long.
    """
    return follow(problem, steps, 1 / steps, decay=decay)


def follow(
    problem: Problem, steps: int, size: float, restarts: int = 0, decay: float = 0.0
) -> FloatArray:
    """``steps`` steps of ``size * eps`` along the sign of the loss's gradient, in the Linf ball.

    From the clean input, or from each of ``restarts`` random points. ``decay`` is the weight that
    gradients of earlier steps keep, all of them divided by their mean absolute value. The best
    iterate of each sample is returned.
    """
    climb, eps = graph(problem).compiled(_climb), ball.radius(problem)
    attempts = Attempts(problem)
    for restart in range(max(1, restarts)):
        rest = attempts.rest
        if not len(rest.q):
            break
        x = clean(rest)
        begin = ball.scattered(rest, restart) if restarts else x
        attempts.add(np.asarray(climb(x, begin, rest.labels, eps, size * eps, steps, decay)))
    return attempts.real()


def _climb(graph: SourceGraph) -> Any:
    def climb(
        x: Tensor,
        begin: Tensor,
        labels: Tensor,
        eps: Tensor,
        step: Tensor,
        steps: Tensor,
        decay: Tensor,
    ) -> Any:
        def body(
            i: Tensor, at: Tensor, memory: Tensor, best: Best
        ) -> tuple[Tensor, Tensor, Tensor, Best]:
            fooled, loss, slope = gradient(graph, unsaturated, at, labels, labels)
            best = tf.cond(i > 0, lambda: best.update(at, fooled, loss), lambda: best)
            mean = tf.reduce_mean(tf.abs(slope), tuple(range(1, len(slope.shape))), keepdims=True)
            memory = decay * memory + tf.math.divide_no_nan(slope, mean)
            return i + 1, ball.projected(at + step * tf.sign(memory), x, eps), memory, best

        state = (0, begin, tf.zeros_like(x), nothing(x))
        _, at, _, best = tf.while_loop(lambda i, *_: i < steps, body, state, parallel_iterations=1)
        return best.update(at, *value(graph, unsaturated, at, labels, labels)).pixels

    number = tf.TensorSpec((), tf.float32)
    signature = [
        graph.pixels,
        graph.pixels,
        graph.labels,
        number,
        number,
        tf.TensorSpec((), tf.int32),
        number,
    ]
    return tf.function(climb, input_signature=signature, autograph=False)


def _row(
    name: str, title: str, paper: str, function: Any, eps: tuple[float, ...] = ()
) -> AttackInfo:
    return AttackInfo(
        name, title, Needs.GRADIENTS, Norm.LINF, paper, function, eps=eps, loss=unsaturated
    )


_FGSM = "Goodfellow et al. 2015, arXiv:1412.6572"
_BIM = "Kurakin et al. 2017, arXiv:1607.02533"
_PGD = "Madry et al. 2018, arXiv:1706.06083"
_S1 = "as in Eslami Abyane and Hemmati 2021, arXiv:2109.09869"
_S4 = "as in Costa and Pinto 2024, arXiv:2404.05688"
FGSM = _row("fgsm", "FGSM", _FGSM, fgsm)
ROWS = (
    FGSM,
    _row("fgsm-s1", "FGSM", f"{_FGSM}, {_S1}", fgsm, eps=(0.005,)),
    _row("bim", "BIM, 10 steps", _BIM, bim),
    _row("bim-s1", "BIM, 10 steps", f"{_BIM}, {_S1}", bim, eps=(0.005,)),
    _row("pgd", f"PGD, {PGD_STEPS} steps", _PGD, pgd),
    _row("pgd-40", "PGD, 40 steps", _PGD, partial(pgd, steps=40, size=2.5 / 40)),
    _row(
        "pgd-s4",
        "PGD, 20 steps of eps / 10, 20 starts",
        f"{_PGD}, {_S4}",
        partial(pgd, steps=20, size=0.1, restarts=20),
        eps=S4_EPS,
    ),
    _row("mi-fgsm", "MI-FGSM, 10 steps", "Dong et al. 2018, arXiv:1710.06081", mi_fgsm),
)
