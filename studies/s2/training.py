"""S2's training: Adam with Keras's defaults, batches of 32, stopped early on validation images.

Each width starts from the next wider one, and 10 bits from 16: rounded to few bits, freshly
initialised weights would all be zero and never leave it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.progress import Say
from tinyrobust.models.data.splits import Splits
from tinyrobust.models.keras.tf import keras, tf
from tinyrobust.models.keras.weights import weights_digest
from tinyrobust.models.training.cached_training import accuracy, trained
from tinyrobust.studies.s2.network import BITS, SPEC, build_of

WIDEST = 16


@dataclass(frozen=True)
class Schedule:
    """Training ends with the best weights, ``patience`` epochs after them, or at the ``longest``.

    What is best says the validation accuracy.
    """

    batch: int = 32
    patience: int = 5
    longest: int = 60


def networks(splits: Splits, narrowest: int, seed: int, cache: Path, say: Say) -> dict[int, Any]:
    """The trained networks of one seed by their bits, from ``WIDEST`` down to ``narrowest``.

    They are taken from the cache where they are.
    """
    made: dict[int, Any] = {}
    before: Any = None
    for bits in (WIDEST, *range(max(BITS), narrowest - 1, -1)):
        before = made[bits] = _network(bits, before, splits, seed, cache, say)
    return made


def _network(bits: int, before: Any, splits: Splits, seed: int, cache: Path, say: Say) -> Any:
    schedule = Schedule()

    def fit(model: Any) -> None:
        if before is not None:
            model.set_weights(before.get_weights())
        epochs = train(model, splits, schedule, seed)
        share = accuracy(model, splits.validation, SPEC)
        say(f"{model.name}, seed {seed}: {epochs} epochs, validation accuracy {share:.4f}")

    start = weights_digest(before) if before is not None else ""
    data = splits.train.sha256, splits.validation.sha256
    return trained(build_of(bits), fit, (bits, data, schedule, start), seed, cache, say)


def train(model: Any, splits: Splits, schedule: Schedule, seed: int) -> int:
    """Trains ``model`` in place; the epochs it took, the ``patience`` ones among them.

    Raises UsageError when the loss stops being a number.
    """
    images = tf.constant(SPEC.dequantize(splits.train.q))
    labels = tf.constant(splits.train.labels)
    epoch = _compiled_epoch(model, images, labels, schedule.batch)
    best, kept, waited = -1.0, model.get_weights(), 0
    for number in range(schedule.longest):
        order = np.random.default_rng((seed, number)).permutation(len(splits.train.q))
        if not np.isfinite(float(epoch(tf.constant(order, tf.int32)))):
            raise UsageError(f"training of {model.name} diverged in epoch {number + 1}")
        share = accuracy(model, splits.validation, SPEC)
        if share > best:
            best, kept, waited = share, model.get_weights(), 0
        else:
            waited += 1
        if waited == schedule.patience:
            break
    model.set_weights(kept)
    return number + 1


def _compiled_epoch(model: Any, images: Any, labels: Any, batch: int) -> Any:
    """A whole epoch as one graph: with batches this small, calls would cost more than steps."""
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def step(rows: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = cross_entropy(tf.gather(labels, rows), model(tf.gather(images, rows)))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    def epoch(order: Any) -> Any:
        steps = tf.size(order) // batch
        total = tf.constant(0.0)
        for i in tf.range(steps):
            total += step(order[i * batch : (i + 1) * batch])
        return total / tf.cast(steps, tf.float32)

    return tf.function(epoch)
