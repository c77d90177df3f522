"""The exponential moving average of a network's weights, batch norms' statistics among them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tinyrobust.models.keras.tf import tf

Tensor = Any


class Averages:
    """``model``'s variables averaged over its updates with ``decay``.

    The first updates count for more, ``(1 + t) / (10 + t)`` after t of them, as in TensorFlow's
    ``ExponentialMovingAverage``: the average forgets within an epoch what training started from.
    """

    def __init__(self, model: Any, decay: float) -> None:
        self.decay = decay
        self._live = model.variables
        self.variables = [tf.Variable(v, trainable=False) for v in self._live]

    def update(self, updates: Tensor) -> None:
        """Takes the weights in as they are after ``updates`` of them, a scalar from 1 on."""
        t = tf.cast(updates, tf.float32)
        share = 1.0 - tf.minimum(self.decay, (1.0 + t) / (10.0 + t))
        for kept, live in zip(self.variables, self._live, strict=True):
            kept.assign_add(share * (live - kept))

    def assign_to_model(self) -> None:
        """Sets the model's weights to the average."""
        for kept, live in zip(self.variables, self._live, strict=True):
            live.assign(kept)

    @contextmanager
    def in_model(self) -> Iterator[None]:
        """The model with the averaged weights; after it, with its own again."""
        own = [v.numpy() for v in self._live]
        self.assign_to_model()
        try:
            yield
        finally:
            for value, live in zip(own, self._live, strict=True):
                live.assign(value)
