"""White-box gradient attacks through Foolbox, on the logits of a differentiable rung.

TensorFlow is imported when an attack runs; the source that it is given has already configured it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from attacks.problem import AttackInfo, Needs, Norm, Problem
from host.types import Differentiable, FloatArray

PGD_STEPS = 20
"""Iterations of PGD, as in Madry et al. 2018 for evaluation on CIFAR-10."""

PGD_STEP = 2.5 / PGD_STEPS
"""Step size relative to eps: from any start, PGD can reach any point of the ball's border and turn round."""

BATCH = 128
"""Largest batch, in samples."""


def fgsm(problem: Problem) -> FloatArray:
    """Fast gradient sign method: one step of size eps along the sign of the loss gradient."""
    import foolbox

    return run_foolbox(problem, foolbox.attacks.LinfFastGradientAttack(random_start=False))


def pgd(problem: Problem) -> FloatArray:
    """Projected gradient descent from one random start in the ball, ``PGD_STEPS`` steps of ``PGD_STEP * eps``."""
    import foolbox

    attack = foolbox.attacks.LinfProjectedGradientDescentAttack(
        rel_stepsize=PGD_STEP, steps=PGD_STEPS, random_start=True
    )
    return run_foolbox(problem, attack)


def gradients(problem: Problem) -> FloatArray:
    """Gradient of each sample's cross-entropy on the source's logits at the clean input, float32 [n, *shape]."""
    import tensorflow as tf

    logits = _compiled(problem.differentiable())
    out = np.empty(problem.q.shape, np.float32)
    for part in _batches(len(problem.q)):
        real = tf.constant(problem.spec.dequantize(problem.q[part]))
        with tf.GradientTape() as tape:
            tape.watch(real)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(problem.labels[part], logits(real))
        out[part] = tape.gradient(loss, real).numpy()
    return out


def run_foolbox(problem: Problem, attack: Any) -> FloatArray:
    """Run a Foolbox attack in batches. Seeds TensorFlow's global generator: the same problem gives the same bytes."""
    import foolbox
    import tensorflow as tf

    # The ends of the lattice as float32 gives them: Foolbox refuses inputs one rounding error outside its bounds.
    low, high = problem.spec.dequantize(np.array([-128, 127], np.int8)).tolist()
    model = foolbox.TensorFlowModel(_compiled(problem.differentiable()), bounds=(low, high), device="/CPU:0")
    out = np.empty(problem.q.shape, np.float32)
    tf.random.set_seed(problem.seed)
    for part in _batches(len(problem.q)):
        real = tf.constant(problem.spec.dequantize(problem.q[part]))
        leave = foolbox.criteria.Misclassification(tf.constant(problem.labels[part]))
        out[part] = attack.run(model, real, leave, epsilon=problem.eps).numpy()
    return out


def _batches(n: int) -> Iterator[slice]:
    return (slice(start, start + BATCH) for start in range(0, n, BATCH))


_last: list[tuple[Differentiable, Callable[[Any], Any]]] = []


def _compiled(source: Differentiable) -> Callable[[Any], Any]:
    """The source's logits as one graph, several times faster than eager; kept for the next cell of the same source."""
    import tensorflow as tf

    if not _last or _last[0][0] is not source:
        signature = [tf.TensorSpec((None, *source.input.shape), tf.float32)]
        _last[:] = [(source, tf.function(source.logits, input_signature=signature))]
    return _last[0][1]


FGSM = AttackInfo("fgsm", "FGSM", Needs.GRADIENTS, Norm.LINF, "Goodfellow et al. 2015, arXiv:1412.6572", fgsm)
PGD = AttackInfo(
    "pgd", f"PGD, {PGD_STEPS} steps", Needs.GRADIENTS, Norm.LINF, "Madry et al. 2018, arXiv:1706.06083", pgd
)
ROWS = (FGSM, PGD)
