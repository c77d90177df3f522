"""The host's rungs of the ladder: Keras models (``float32``, ``qat``) and the oracle (``tflm``)."""

from __future__ import annotations

import hashlib
import warnings
from copy import copy
from functools import cached_property
from typing import Any

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.grid import input_grid, to_model_input
from tinyrobust.core.types import IntArray, Prediction, TensorSpec
from tinyrobust.models.keras.tf import keras, tf
from tinyrobust.models.keras.weights import weights_digest
from tinyrobust.models.plan.compiler import compile_plan
from tinyrobust.models.rungs.oracle import Oracle

_BATCH = 256


class KerasPredictor:
    """A Keras model fed with the real values of the input grid.

    ``Predictor`` and ``Differentiable``.
    """

    def __init__(self, model: Any, rung: str, spec: TensorSpec) -> None:
        shape = tuple(model.input_shape[1:])
        if shape != spec.shape:
            raise UsageError(
                f"{rung} model {model.name} takes {shape}, the ladder's input is {spec.shape}"
            )
        self.rung = rung
        self.input = spec
        self.model = without_softmax(model)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the layers and of all weights."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # QKeras's way to serialize its quantizers
            layers = self.model.to_json()
        return hashlib.sha256(f"{layers}\n{weights_digest(self.model)}".encode()).hexdigest()

    def on(self, grid: TensorSpec) -> KerasPredictor:
        """The same network fed on another input grid."""
        return KerasPredictor(self.model, self.rung, grid)

    def logits(self, real: Any) -> Any:
        """Tensor float32 [n, *shape] to logits [n, classes], differentiable.

        The logits are taken before any final softmax.
        """
        return tf.reshape(self.model(real, training=False), (tf.shape(real)[0], -1))

    def predict(self, q: IntArray) -> Prediction:
        """Logits for ``q``, levels of ``input`` [n, *shape]."""
        if not len(q):
            return Prediction(np.empty((0, int(np.prod(self.model.output_shape[1:]))), np.float32))
        batches = (self.input.dequantize(q[i : i + _BATCH]) for i in range(0, len(q), _BATCH))
        return Prediction(
            np.concatenate([np.asarray(p, np.float32) for p in map(self._compiled, batches)])
        )

    @cached_property
    def _compiled(self) -> Any:
        signature = tf.TensorSpec((None, *self.input.shape), tf.float32)
        return tf.function(self.logits, input_signature=[signature])


class TflmPredictor:
    """TensorFlow Lite Micro's answer to the exported file, which the board is held to.

    They must agree in every byte.

    ``spec`` is the ladder's, where the model's input is int16 (default:
    ``tinyrobust.core.grid.input_grid`` its input).
    """

    rung = "tflm"

    def __init__(
        self, tflite: bytes, name: str = "the model", spec: TensorSpec | None = None
    ) -> None:
        plan = compile_plan(tflite)
        self.input = spec or input_grid(plan.input)
        self.output = plan.output
        self._grid = plan.input
        self._oracle = Oracle(tflite, plan.input, plan.output, name)
        self.arena_bytes = self._oracle.arena_bytes

    def predict(self, q: IntArray) -> Prediction:
        """Raw outputs in ``output.dtype`` and their real values for ``q``, levels of ``input``."""
        raw = self._oracle.run(to_model_input(q, self.input, self._grid)).reshape(len(q), -1)
        return Prediction(self.output.dequantize(raw), raw)

    def on(self, grid: TensorSpec) -> TflmPredictor:
        """The same oracle fed on another input grid; one of the two is to be closed."""
        other = copy(self)
        other.input = grid
        return other

    def close(self) -> None:
        """Ends the child process."""
        self._oracle.close()


def without_softmax(model: Any) -> Any:
    """``model`` up to its logits.

    A final Softmax or Activation layer is left out, a final fused softmax made linear.
    """
    last = model.layers[-1]
    softmax = keras.activations.softmax
    is_layer = isinstance(last, keras.layers.Softmax)
    if is_layer or (isinstance(last, keras.layers.Activation) and last.activation is softmax):
        return keras.Model(model.inputs, last.input, name=model.name)
    if getattr(last, "activation", None) is softmax:
        last.activation = keras.activations.linear
    return model
