"""A small network trained on the digits, as a rung that needs no TensorFlow: fast enough for
thousands of queries.
"""

import functools

import numpy as np

from tinyrobust.core.types import Prediction, TensorSpec

SPEC = TensorSpec((8, 8, 1), 1 / 255, -128)
TRAINED = 1400
HIDDEN = 128
SCALE = 20.0


class Net:
    """64 to 128 to 10 in numpy.

    ``step`` rounds the logits to multiples of it, as int8 outputs are; 0 does not.
    """

    rung = "board"
    input = SPEC

    def __init__(self, weights, biases, step=0.0):
        self.weights, self.biases, self.step = weights, biases, step
        self.asked = 0
        self.sizes = []

    def predict(self, q):
        assert q.dtype == np.int8
        assert q.shape[1:] == SPEC.shape
        self.asked += len(q)
        self.sizes.append(len(q))
        hidden = np.maximum(
            SPEC.dequantize(q).reshape(len(q), -1) @ self.weights[0] + self.biases[0], 0
        )
        logits = (hidden @ self.weights[1] + self.biases[1]).astype(np.float32)
        return Prediction(
            np.rint(logits / self.step) * np.float32(self.step) if self.step else logits
        )


class OnlyClasses:
    """Another rung with all but its classes taken away."""

    def __init__(self, net):
        self.net, self.rung, self.input = net, net.rung, net.input

    def predict(self, q):
        return Prediction(np.eye(10, dtype=np.float32)[self.net.predict(q).logits.argmax(axis=1)])


@functools.lru_cache(maxsize=1)
def _trained():
    """Random hidden units, and the output layer that fits best: as good as a descent here, and done
    in milliseconds.
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    q = (
        np.clip(np.rint(images * 255 / 16) - 128, -128, 127)
        .astype(np.int8)
        .reshape(-1, *SPEC.shape)
    )
    rng = np.random.default_rng(0)
    first, bias = (
        rng.normal(0, 0.3, (64, HIDDEN)).astype(np.float32),
        rng.normal(0, 0.3, HIDDEN).astype(np.float32),
    )
    hidden = np.maximum(SPEC.dequantize(q[:TRAINED]).reshape(TRAINED, -1) @ first + bias, 0)
    wanted = SCALE * np.eye(10)[labels[:TRAINED]]
    last = np.linalg.solve(hidden.T @ hidden + np.eye(HIDDEN), hidden.T @ wanted).astype(np.float32)
    return (
        (first, last),
        (bias, np.zeros(10, np.float32)),
        q[TRAINED:],
        labels[TRAINED:].astype(np.int64),
    )


def net(step=0.25):
    """The trained network."""
    weights, biases, _, _ = _trained()
    return Net(weights, biases, step)


def samples(n):
    """``n`` test images int8 [n, 8, 8, 1] with their labels."""
    _, _, q, labels = _trained()
    return q[:n], labels[:n]
