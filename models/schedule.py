"""Learning rate over a training run: warm-up, then cosine decay with warm restarts (Loshchilov & Hutter 2017)."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from models.tf import keras, tf


class WarmRestarts(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """One epoch of linear warm-up to ``rate``; cosine decay to zero by each of ``ends``, anew from ``rate`` after it.

    A first cycle of a single epoch has no warm-up. ``ends``: epochs in rising order, the last one the end of
    training; ``steps``: updates in an epoch.
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
        return {"rate": self.rate, "ends": tuple(end for _, end in self.cycles), "steps": self.steps}
