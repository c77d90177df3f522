"""Adversarial training that survives an interruption, and keeps its most robust epoch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tinyrobust.core.progress import Say
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.data.splits import Splits
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.training.adversarial.averages import Averages
from tinyrobust.models.training.adversarial.plan import AdversarialPlan, LinfAttack
from tinyrobust.models.training.adversarial.step import adversarial_step, robust_accuracy
from tinyrobust.models.training.trainer import Epoch, Trainer, accuracy

STEPS = 5
"""Of the PGD that chooses the epoch: an adversary that training on one step has not seen."""
SAMPLES = 1_000
"""The first so many validation samples are attacked after each epoch."""
_COLLAPSE = 0.5
"""Share of the best epoch's robust accuracy below which a training has overfitted to its own
attack: Wong et al. 2020 call that catastrophic.
"""


class AdversarialTrainer(Trainer):
    """Trains ``model`` in place on adversarial examples by ``plan``, and leaves it with the moving
    average of the epoch that was most robust on validation data.

    Averages and best epoch are in the checkpoint: a resumed training ends with the same weights.
    """

    plan: AdversarialPlan

    def __init__(
        self, model: Any, splits: Splits, spec: TensorSpec, plan: AdversarialPlan, folder: Path
    ) -> None:
        super().__init__(model, splits, spec, plan, folder)
        self.averages = Averages(model, plan.average)
        self._best = [tf.Variable(v, trainable=False) for v in model.variables]
        self._most = tf.Variable(-1.0, trainable=False)
        self.step = adversarial_step(model, self.optimizer, plan, spec, self.averages)
        judge = LinfAttack(plan.attack.levels, STEPS, 2.5 / STEPS)
        self._robust = robust_accuracy(model, spec, judge)
        data = splits.validation
        self._judged = replace(data, q=data.q[:SAMPLES], labels=data.labels[:SAMPLES])

    def run(self, say: Say) -> list[Epoch]:
        """All epochs that are not done yet, then the best of all; raises what ``Trainer`` does."""
        history = super().run(say)
        for best, live in zip(self._best, self.model.variables, strict=True):
            live.assign(best)
        return history

    def _epoch(self, epoch: int) -> Epoch:
        made = super()._epoch(epoch)
        with self.averages.in_model():
            clean = accuracy(self.model, self.splits.validation, self.spec)
            robust = self._robust(self._judged)
        if robust > float(self._most):
            self._most.assign(robust)
            for best, average in zip(self._best, self.averages.variables, strict=True):
                best.assign(average)
        return replace(made, accuracy=clean, robust=robust)

    def _state(self) -> list[Any]:
        return [*super()._state(), *self.averages.variables, *self._best, self._most]

    def _said(self, history: list[Epoch]) -> str:
        robust = [e.robust or 0.0 for e in history]
        line = f"{super()._said(history)}, under PGD {robust[-1]:.4f}"
        if robust[-1] < _COLLAPSE * max(robust):
            return f"{line}: catastrophic overfitting, epoch {robust.index(max(robust)) + 1} stays"
        return line
