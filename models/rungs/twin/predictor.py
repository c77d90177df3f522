"""The twin: a full-integer .tflite as a differentiable TensorFlow graph.

Its answers are the chip's, byte for byte.

It runs the very plan that the firmware runs, so there is one resolution of every parameter.
Forward, every integer is exact; backward, each operator has the gradient of its real-valued
expression where its clamp is open (straight through). Losses belong on ``logits``: a final SOFTMAX,
whose int8 output has few levels, is left out there.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.abi.plan import Add, Reshape, Softmax, SoftmaxTable
from tinyrobust.core.errors import UsageError
from tinyrobust.core.grid import input_grid, table, to_model_input
from tinyrobust.core.types import IntArray, Prediction, TensorSpec
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.plan.compiler import compile_plan
from tinyrobust.models.plan.operators.checks import zero_point
from tinyrobust.models.plan.reader import Program, read_plan
from tinyrobust.models.rungs.twin.operators import operator
from tinyrobust.models.rungs.twin.requantize import Output, Tensor, clamp
from tinyrobust.models.rungs.twin.softmax import input_scale
from tinyrobust.models.rungs.twin.softmax_int16 import input_scale as table_input_scale
from tinyrobust.models.tflite.reader import read_graph

_BATCH_BYTES = 32 << 20
"""Bound of the largest int64 activation of one batch."""
_MAX_BATCH = 256


class TwinPredictor:
    """``tflite`` as a rung of the ladder. Raises UsageError for what ``compile_plan`` refuses.

    ``spec`` is the ladder's, where the model's input is int16 (default:
    ``tinyrobust.core.grid.input_grid`` its input).
    """

    rung = "twin"

    def __init__(self, tflite: bytes, spec: TensorSpec | None = None) -> None:
        plan = compile_plan(tflite)
        self.input: TensorSpec = spec or input_grid(plan.input)
        self.output: TensorSpec = plan.output
        self._grid = plan.input
        self._tflite = tflite
        self._levels = table(self.input, self._grid).astype(np.float32)
        self._program = read_plan(plan.data)
        self._logit_spec, self._logit_ops = _before_softmax(self._program, tflite, plan.output)
        largest = max(plan.input.size, *(r.head.output_bytes for r in self._program.records))
        self._batch = max(1, min(_MAX_BATCH, _BATCH_BYTES // (8 * largest)))
        q = tf.TensorSpec((None, *plan.input.shape), plan.input.dtype)
        real = tf.TensorSpec((None, *plan.input.shape), tf.float32)
        self._predict = tf.function(self._forward, input_signature=[q])
        self._layers = tf.function(self._forward_layers, input_signature=[q])
        self._logits = tf.function(self._forward_logits, input_signature=[real])

    def predict(self, q: IntArray) -> Prediction:
        """Raw outputs [n, outputs] in ``output.dtype``, and the same dequantized.

        ``q`` are levels of ``input`` [n, *input.shape], any n.
        """
        x = self._fed(q)
        parts = [
            self._predict(x[i : i + self._batch]).numpy() for i in range(0, len(x), self._batch)
        ]
        raw = np.concatenate([np.empty((0, self.output.size), self.output.dtype), *parts])
        return Prediction(self.output.dequantize(raw), raw)

    def on(self, grid: TensorSpec) -> TwinPredictor:
        """The same network fed on another input grid."""
        return TwinPredictor(self._tflite, grid)

    def logits(self, real: Tensor) -> Tensor:
        """Logits before a final SOFTMAX, differentiable.

        float32 [n, *input.shape] in real units to float32 [n, outputs].

        Inputs are quantized on the way in, with a straight-through gradient inside the input's
        range.
        """
        return self._logits(real)

    def layers(self, q: IntArray) -> tuple[IntArray, ...]:
        """The output of every operator in order, [n, size] in ``output.dtype``.

        All at once: for small ``n``.
        """
        return tuple(y.numpy() for y in self._layers(self._fed(q)))

    def _fed(self, q: IntArray) -> IntArray:
        """``q`` as the integers of the model's own input."""
        if q.dtype != self.input.dtype or q.shape[1:] != self.input.shape:
            raise UsageError(
                f"twin: input is {q.dtype}{list(q.shape)}, the model takes {self.input.dtype}[n, "
                f"{self.input.shape}]"
            )
        return to_model_input(q, self.input, self._grid)

    def _forward(self, x: Tensor) -> Tensor:
        return tf.cast(_run(self._program, tf.cast(x, tf.float32))[-1], self.output.dtype)

    def _forward_layers(self, x: Tensor) -> list[Tensor]:
        return [tf.cast(y, self.output.dtype) for y in _run(self._program, tf.cast(x, tf.float32))]

    def _forward_logits(self, real: Tensor) -> Tensor:
        x = _quantized(real, self.input, self._levels, self._grid.scale)
        y = _run(self._program, x)[self._logit_ops - 1]
        return (y - self._logit_spec.zero_point) * self._logit_spec.scale


def _run(program: Program, x: Tensor) -> list[Tensor]:
    """Outputs of all operators, float32 [n, size].

    The plan's arena is the environment: offsets name tensors.
    """
    n = tf.shape(x)[0]
    arena = {program.header.input_offset: tf.reshape(x, (n, math.prod(x.shape[1:])))}
    outputs: list[Tensor] = []
    for record in program.records:
        inputs = (record.input1, record.input2) if isinstance(record, Add) else (record.input,)
        y = operator(program, record, *(arena[at] for at in inputs))
        arena[record.head.output] = tf.reshape(y, (-1, math.prod(y.shape[1:])))
        outputs.append(arena[record.head.output])
    return outputs


def _quantized(real: Tensor, spec: TensorSpec, levels: NDArray[np.float32], scale: float) -> Tensor:
    """The nearest level, ties away from zero, as TFLite's QUANTIZE finds it.

    Then what ``levels`` (one for each of ``spec``, lowest first) say it is on the input's grid of
    steps ``scale``; float32.
    """

    def straight_through(real: Tensor) -> tuple[Tensor, object]:
        steps = real / spec.scale
        nearest = tf.sign(steps) * tf.floor(tf.abs(steps) + 0.5)
        limit = float(1 << 20)  # far outside any grid, so that the cast cannot overflow
        nearest = tf.cast(tf.clip_by_value(nearest, -limit, limit), tf.int64)
        q, is_open = clamp(nearest, Output(spec.zero_point, spec.bottom, spec.top))
        return tf.gather(
            levels, tf.cast(q, tf.int32) - spec.bottom
        ), lambda upstream: upstream * is_open / scale

    return tf.custom_gradient(straight_through)(real)


def _before_softmax(program: Program, tflite: bytes, output: TensorSpec) -> tuple[TensorSpec, int]:
    """What the logits are, and after how many operators they are there."""
    records = list(program.records)
    while isinstance(records[-1], Reshape) and len(records) > 1:
        records.pop()
    last = records[-1]
    if not isinstance(last, Softmax | SoftmaxTable) or len(records) == 1:
        return output, len(program.records)
    graph = read_graph(tflite)
    source = graph.tensors[graph.operators[last.head.op].inputs[0]]
    scale = input_scale(last) if isinstance(last, Softmax) else table_input_scale(last)
    return TensorSpec(source.shape[1:], scale, zero_point(source), output.dtype), len(records) - 1
