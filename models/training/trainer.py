"""Training that survives an interruption.

After every epoch weights, optimizer and history go to disk in one rename.

What is random in an epoch is drawn from (seed, epoch), so a resumed run sees the images a whole one
would have seen.
"""

from __future__ import annotations

import json
import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinyrobust.core.errors import UsageError
from tinyrobust.core.files import replacing
from tinyrobust.core.npz import UNREADABLE
from tinyrobust.core.progress import Say
from tinyrobust.core.types import Dataset, FloatArray, Int64Array, IntArray, TensorSpec
from tinyrobust.models.data.splits import Splits
from tinyrobust.models.keras.tf import keras, tf
from tinyrobust.models.training.certified.plan import Certified
from tinyrobust.models.training.certified.share import certified_count
from tinyrobust.models.training.certified.step import certified_step
from tinyrobust.models.training.jacobian import Penalty, Regularized

_LATER = ("certified",)
"""Fields of a plan that came when there were checkpoints; each is None where it is left out."""


@dataclass(frozen=True)
class TrainingPlan:
    """AdamW with one epoch of warm-up and cosine decay to zero from ``rate``.

    Weight decay is for kernels only.

    After each of the epochs in ``restarts`` the rate is ``rate`` again. With ``certified``, bounds
    are trained and there is no ``penalty``.
    """

    epochs: int
    batch: int
    rate: float
    restarts: tuple[int, ...] = ()
    decay: float = 0.0
    augment: bool = False
    penalty: Penalty | None = None
    seed: int = 0
    certified: Certified | None = None

    def __post_init__(self) -> None:
        if self.certified and self.penalty:
            raise ValueError("a training has bounds or a Jacobian penalty, not both")

    def __repr__(self) -> str:
        """All fields but those of ``_LATER`` at their defaults: a checkpoint knows its plan by it.

        So a plan reads as it did before those fields were there, and its checkpoints are resumed.
        """
        shown = [f for f in fields(self) if f.name not in _LATER or getattr(self, f.name)]
        values = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in shown)
        return f"{type(self).__name__}({values})"


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to.

    It has mean training loss and penalty, validation accuracy, and images per second of training.
    With bounds, ``certified`` is the share of the validation set whose boxes of full size are
    certified; ``robust``, where the training looks at it, is accuracy under attack.
    """

    epoch: int
    loss: float
    penalty: float
    accuracy: float
    images_per_second: float
    certified: float | None = None
    robust: float | None = None


class Trainer:
    """Trains ``model`` (images to logits) in place by ``plan``.

    Continues where a checkpoint in ``folder`` left off.
    """

    def __init__(
        self, model: Any, splits: Splits, spec: TensorSpec, plan: TrainingPlan, folder: Path
    ) -> None:
        self.model = model
        self.splits = splits
        self.spec = spec
        self.plan = plan
        self.checkpoint = folder / f"{model.name}.checkpoint.npz"
        self.steps = len(splits.train.q) // plan.batch
        rate = WarmRestarts(plan.rate, (*plan.restarts, plan.epochs), self.steps)
        self.optimizer = keras.optimizers.AdamW(rate, weight_decay=plan.decay)
        self.optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self.optimizer.build(model.trainable_variables)
        self.step = (
            certified_step(model, self.optimizer, plan.certified, spec, self.steps)
            if plan.certified
            else compiled_step(model, self.optimizer, plan)
        )

    def run(self, say: Say) -> list[Epoch]:
        """All epochs that are not done yet.

        Raises UsageError when the loss stops being a number or a write fails.
        """
        history = self._restore()
        for epoch in range(len(history), self.plan.epochs):
            tf.random.set_seed(self.plan.seed * 10_007 + epoch)
            history.append(self._epoch(epoch))
            self._save(history)
            say(self._said(history))
        return history

    def _said(self, history: list[Epoch]) -> str:
        e = history[-1]
        left = (self.plan.epochs - e.epoch - 1) * len(self.splits.train.q) / e.images_per_second
        bounded = "" if e.certified is None else f", certified {e.certified:.4f}"
        return (
            f"{self.model.name}: epoch {e.epoch + 1}/{self.plan.epochs}, loss {e.loss:.3f}, "
            f"penalty {e.penalty:.4f}, validation {e.accuracy:.4f}{bounded}, "
            f"{e.images_per_second:.0f} images/s, {left / 60:.0f} min left"
        )

    def _epoch(self, epoch: int) -> Epoch:
        start = time.monotonic()
        sums = np.zeros(2)
        for images, labels in self._batches(epoch):
            sums += [float(v) for v in self.step(images, labels)]
        loss, penalty = sums / self.steps
        if not np.isfinite(loss + penalty):
            raise UsageError(
                f"training of {self.model.name} diverged in epoch {epoch + 1}: lower the learning "
                "rate"
            )
        speed = self.steps * self.plan.batch / (time.monotonic() - start)
        right = accuracy(self.model, self.splits.validation, self.spec)
        return Epoch(epoch, loss, penalty, right, speed, self._certified())

    def _certified(self) -> float | None:
        if self.plan.certified is None:
            return None
        data, levels = self.splits.validation, self.plan.certified.levels
        return certified_count(self.model, data, self.spec, levels) / len(data.q)

    def _batches(self, epoch: int) -> Iterator[tuple[FloatArray, Int64Array]]:
        rng = np.random.default_rng((self.plan.seed, epoch))
        data = self.splits.train
        order = rng.permutation(len(data.q))[: self.steps * self.plan.batch]
        for rows in order.reshape(self.steps, self.plan.batch):
            q: IntArray = data.q[rows]
            yield (
                self.spec.dequantize(shift_and_flip(q, rng) if self.plan.augment else q),
                data.labels[rows],
            )

    def _state(self) -> list[Any]:
        return [*self.model.variables, *self.optimizer.variables]

    def _save(self, history: list[Epoch]) -> None:
        arrays = {f"v{i}": v.numpy() for i, v in enumerate(self._state())}
        said = json.dumps([asdict(e) for e in history])
        with replacing(self.checkpoint, "make room there; the last checkpoint is whole") as file:
            np.savez(file, history=said, plan=repr(self.plan), **arrays)

    def _restore(self) -> list[Epoch]:
        if not self.checkpoint.exists():
            return []
        try:
            with np.load(self.checkpoint, allow_pickle=False) as saved:
                if str(saved["plan"]) != repr(self.plan):
                    raise UsageError(
                        f"{self.checkpoint}: made by another plan; remove it or train into another "
                        "folder"
                    )
                for i, variable in enumerate(self._state()):
                    variable.assign(saved[f"v{i}"])
                return [Epoch(**e) for e in json.loads(str(saved["history"]))]
        except UNREADABLE as err:
            raise UsageError(
                f"{self.checkpoint}: not a checkpoint of {self.model.name} ({err}); remove it"
            ) from None


@contextmanager
def learning_phase() -> Iterator[None]:
    """Makes QKeras's stochastic quantizers random: they heed this and not ``training=True``.

    A graph keeps it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # deprecated in Keras, yet the only thing QKeras asks
        scope = keras.backend.learning_phase_scope(1)
        scope.__enter__()
    try:
        yield
    finally:
        scope.__exit__(None, None, None)


def accuracy(model: Any, data: Dataset, spec: TensorSpec) -> float:
    """Share of ``data`` that ``model`` gets right."""
    logits = model.predict(spec.dequantize(data.q), batch_size=500, verbose=0)
    return float(np.mean(np.argmax(logits, axis=-1) == data.labels))


def compiled_step(
    model: Any, optimizer: Any, plan: TrainingPlan
) -> Callable[[Any, Any], tuple[Any, Any]]:
    """One update of ``model`` as a graph.

    Takes (images [batch, ...], labels [batch]) to (loss, penalty) before the update.
    """
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    forward = forward_of(model, plan)

    def step(images: Any, labels: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape, learning_phase():
            logits, penalty = forward(images)
            loss = cross_entropy(labels, logits)
            total = loss + penalty
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(total, variables), variables, strict=True))
        return loss, penalty

    compiled: Callable[[Any, Any], tuple[Any, Any]] = tf.function(step)
    return compiled


def forward_of(model: Any, plan: TrainingPlan) -> Callable[[Any], tuple[Any, Any]]:
    """Images [batch, ...] to training-mode logits and the plan's penalty, 0 where it has none."""
    regularized = Regularized(model, plan.penalty) if plan.penalty else None
    paying = round(plan.batch * plan.penalty.share) if plan.penalty else 0

    def forward(images: Any) -> tuple[Any, Any]:
        if regularized is None:
            return model(images, training=True), tf.constant(0.0)
        logits, penalty = regularized(images[:paying])
        if paying < plan.batch:
            logits = tf.concat([logits, model(images[paying:], training=True)], axis=0)
        return logits, penalty

    return forward


class WarmRestarts(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """One epoch of linear warm-up to ``rate``, then cosine decay to zero by each of ``ends``.

    After each of them the decay begins anew from ``rate``.

    A first cycle of a single epoch has no warm-up. ``ends``: epochs in rising order, the last one
    the end of training; ``steps``: updates in an epoch.
    """

    def __init__(self, rate: float, ends: tuple[int, ...], steps: int) -> None:
        self.rate = rate
        self.cycles = list(pairwise((min(1, ends[0] - 1), *ends)))
        self.steps = steps

    def __call__(self, step: Any) -> Any:
        """The rate of update ``step`` (from 0), a float32 scalar."""
        epoch = tf.cast(step, tf.float32) / self.steps
        rate = tf.minimum(epoch, 1.0) * self.rate
        for start, end in self.cycles:
            done = tf.clip_by_value((epoch - start) / (end - start), 0.0, 1.0)
            decayed = 0.5 * self.rate * (1.0 + tf.cos(math.pi * done))
            rate = tf.where(epoch >= start, decayed, rate)
        return rate

    def get_config(self) -> dict[str, Any]:
        """What Keras writes beside a saved optimizer."""
        return {
            "rate": self.rate,
            "ends": tuple(end for _, end in self.cycles),
            "steps": self.steps,
        }


_SHIFT = 4


def shift_and_flip(q: IntArray, rng: np.random.Generator) -> IntArray:
    """``q`` int8 [n, h, w, c], each image shifted and half of them mirrored; a new array.

    Edges are filled with 0.
    """
    n, height, width, _ = q.shape
    padded = np.pad(q, ((0, 0), (_SHIFT, _SHIFT), (_SHIFT, _SHIFT), (0, 0)))
    windows = sliding_window_view(
        padded, (height, width), axis=(1, 2)
    )  # [n, shifts, shifts, c, h, w]
    dy, dx = rng.integers(0, 2 * _SHIFT + 1, (2, n))
    out: IntArray = np.ascontiguousarray(windows[np.arange(n), dy, dx].transpose(0, 2, 3, 1))
    mirrored = rng.random(n) < 0.5
    out[mirrored] = out[mirrored, :, ::-1]
    return out
