"""Training from a fixed seed, with weights cached by the content of all that they depend on."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.files import CACHE_REMEDY, replacing
from tinyrobust.core.npz import UNREADABLE
from tinyrobust.core.progress import Say
from tinyrobust.core.types import Dataset, TensorSpec
from tinyrobust.models.data.splits import Splits
from tinyrobust.models.keras.tf import keras


@dataclass(frozen=True)
class Schedule:
    """Adam with cosine decay to zero from ``rate``."""

    epochs: int
    batch: int
    rate: float


def train(model: Any, splits: Splits, spec: TensorSpec, schedule: Schedule, say: Say) -> None:
    """Trains ``model`` (logits out) in place on ``splits.train``.

    Says loss and validation accuracy now and then.

    Raises UsageError when the loss stops being a number.
    """
    steps = schedule.epochs * -(-len(splits.train.q) // schedule.batch)
    rate = keras.optimizers.schedules.CosineDecay(schedule.rate, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    report = _Report(schedule.epochs, say)
    model.fit(
        spec.dequantize(splits.train.q),
        splits.train.labels,
        validation_data=(spec.dequantize(splits.validation.q), splits.validation.labels),
        batch_size=schedule.batch,
        epochs=schedule.epochs,
        verbose=0,
        callbacks=[report, keras.callbacks.TerminateOnNaN()],
    )
    if not all(np.isfinite(w).all() for w in model.get_weights()) or report.nan:
        raise UsageError(
            f"training of {model.name} diverged: the loss is not a number; lower the learning rate"
        )


def trained(
    build: Callable[[], Any],
    fit: Callable[[Any], None],
    parts: tuple[object, ...],
    seed: int,
    cache: Path,
    say: Say,
) -> Any:
    """``build()`` with its trained weights.

    They come from the cache where they are there; else they are made by ``fit`` from ``seed`` and
    kept.

    ``parts`` is what else the weights depend on (data hash, schedule, starting weights); the source
    of ``build``'s module and the library versions always count.
    """
    module = inspect.getmodule(build)
    if not isinstance(module, ModuleType):
        raise TypeError("build must be a function of a recipe module")
    versions = tuple(version(package) for package in ("tensorflow", "tf_keras", "qkeras", "numpy"))
    text = repr((build.__name__, inspect.getsource(module), versions, parts, seed))
    key = hashlib.sha256(text.encode()).hexdigest()
    path = cache / "weights" / f"{key[:32]}.npz"
    keras.utils.set_random_seed(seed)
    model = build()
    if path.exists():
        try:
            with np.load(path, allow_pickle=False) as saved:
                model.set_weights([saved[f"w{i}"] for i in range(len(saved.files))])
                return model
        except UNREADABLE as err:
            say(f"{path.name}: unreadable ({err}); training again")
    fit(model)
    with replacing(path, CACHE_REMEDY) as file:
        np.savez(file, **{f"w{i}": w for i, w in enumerate(model.get_weights())})
    return model


def accuracy(model: Any, data: Dataset, spec: TensorSpec) -> float:
    """Share of ``data`` that ``model`` gets right."""
    logits = model.predict(spec.dequantize(data.q), batch_size=256, verbose=0)
    return float(np.mean(np.argmax(logits, axis=-1) == data.labels))


class _Report(keras.callbacks.Callback):  # type: ignore[misc]
    def __init__(self, epochs: int, say: Say) -> None:
        super().__init__()
        self.epochs = epochs
        self.say = say
        self.nan = False

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keras's hook."""
        logs = logs or {}
        self.nan |= not np.isfinite(logs.get("loss", 0.0))
        if (epoch + 1) % max(1, self.epochs // 5) == 0:
            accuracy = logs.get("val_accuracy", float("nan"))
            self.say(
                f"{self.model.name}: epoch {epoch + 1}/{self.epochs}, validation accuracy "
                f"{accuracy:.3f}"
            )
