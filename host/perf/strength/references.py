"""Foolbox's and ART's attacks on one problem, in pixels, as their users call them: eagerly."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from tinyrobust.attacks.base.problem import Problem
from tinyrobust.attacks.gradients.graphs import clean
from tinyrobust.core.types import FloatArray
from tinyrobust.models.keras.tf import tf


def has_art() -> bool:
    """Whether ART, an optional extra, is installed."""
    return find_spec("art") is not None


@dataclass(frozen=True)
class References:
    """Other libraries' attacks on ``problem``, whose source has ``classes``."""

    problem: Problem
    classes: int

    def foolbox(self, name: str, **how: Any) -> FloatArray:
        """Runs Foolbox's attack ``name``, built with ``how``: pixels [n, *shape]."""
        import foolbox

        problem = self.problem
        model = foolbox.TensorFlowModel(self._logits, bounds=(0, 1), device="/CPU:0")
        leave = foolbox.criteria.Misclassification(tf.constant(problem.labels))
        tf.random.set_seed(problem.seed)
        budget = {"epsilon": problem.eps / problem.span} if problem.bounded else {}
        attack = getattr(foolbox.attacks, name)(**how)
        return np.asarray(attack.run(model, tf.constant(clean(problem)), leave, **budget))

    def art(self, name: str, **how: Any) -> FloatArray:
        """Runs ART's attack ``name`` with a budget, built with ``how``: pixels [n, *shape]."""
        problem = self.problem
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # frameworks that are not installed
            from art.attacks import evasion
            from art.estimators.classification import TensorFlowV2Classifier

            classifier = TensorFlowV2Classifier(
                model=self._logits,
                nb_classes=self.classes,
                input_shape=problem.spec.shape,
                loss_object=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                clip_values=(0.0, 1.0),
            )
            kind, eps = getattr(evasion, name), problem.eps / problem.span
            attack = kind(classifier, eps=eps, batch_size=len(problem.q), verbose=False, **how)
            return np.asarray(attack.generate(clean(problem), problem.labels))

    def _logits(self, pixels: Any, training: bool = False) -> Any:
        problem = self.problem
        real = tf.cast(pixels, tf.float32) * problem.span + problem.spec.low
        return problem.differentiable().logits(real)
