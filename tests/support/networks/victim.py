"""A small trained network to attack, and rungs that lack something."""

import functools

import numpy as np
import pytest

from tinyrobust.core.types import Prediction, TensorSpec

SPEC = TensorSpec((6, 6, 1), 1 / 128, 0)
N = 200


@functools.cache
def samples():
    """Three classes, each a cloud around its own picture: (q int8 [N, 6, 6, 1], labels int64
    [N]).
    """
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, N)
    centres = rng.integers(-60, 60, (3, *SPEC.shape))
    q = centres[labels] + rng.normal(0, 25, (N, *SPEC.shape))
    return np.clip(q, -128, 127).astype(np.int8), labels.astype(np.int64)


@functools.cache
def weights():
    """A tf_keras model with two layers, trained on ``samples``."""
    keras = pytest.importorskip("tinyrobust.models.keras.tf").keras
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.layers.Flatten(input_shape=SPEC.shape),
            keras.layers.Dense(16, "relu"),
            keras.layers.Dense(3),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.02), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    q, labels = samples()
    model.fit(SPEC.dequantize(q), labels, epochs=15, verbose=0)
    return model


class Net:
    """The trained network as a differentiable rung; ``gain`` 0 makes its gradients vanish, a large
    one its loss.
    """

    rung = "float32"
    input = SPEC

    def __init__(self, gain=1.0):
        self.model = weights()
        self.gain = gain

    def logits(self, real):
        return self.model(real) * self.gain

    def predict(self, q):
        return Prediction(np.asarray(self.model(SPEC.dequantize(q))))


class Asked:
    """The same network to be asked only; ``asked`` counts samples."""

    rung = "native"
    input = SPEC

    def __init__(self):
        self.model = weights()
        self.asked = 0

    def predict(self, q):
        self.asked += len(q)
        return Prediction(np.asarray(self.model(SPEC.dequantize(q))))


def right(source, q):
    """Which of ``q``, made of ``samples``, the source still gives its label."""
    return source.predict(q).logits.argmax(axis=1) == samples()[1]
