"""What attacks share that look for the smallest perturbation.

Foolbox's on the compiled graph, and what was found.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrobust.attacks.base.problem import Problem
from tinyrobust.attacks.gradients.graphs import clean, graph, real
from tinyrobust.attacks.gradients.lazy import foolbox, tf
from tinyrobust.core.types import FloatArray


def run_foolbox(problem: Problem, attack: Any) -> FloatArray:
    """Runs a Foolbox ``MinimizationAttack`` on pixels in [0, 1].

    Returns real units, clean where it found nothing.

    Seeds TensorFlow's global generator: the same problem gives the same bytes.
    """
    tf.random.set_seed(problem.seed)
    model = foolbox.TensorFlowModel(graph(problem).logits, bounds=(0, 1), device="/CPU:0")
    leave = foolbox.criteria.Misclassification(tf.constant(problem.labels))
    return fooling_or_clean(
        problem, np.asarray(attack.run(model, tf.constant(clean(problem)), leave))
    )


def fooling_or_clean(problem: Problem, pixels: FloatArray) -> FloatArray:
    """``pixels`` in real units where the source gets them wrong, the clean input elsewhere.

    The clean input, too, where the source gets that wrong already.
    """
    source, x = graph(problem), clean(problem)
    use = source.fooled(pixels, problem.labels) & ~source.fooled(x, problem.labels)
    return real(problem, np.where(use.reshape(-1, *(1,) * (x.ndim - 1)), pixels, x))
