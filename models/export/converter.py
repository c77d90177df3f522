"""TFLiteConverter, told exactly which grid the input is on.

The converter takes its input's scale from the smallest and the largest value it is shown. Two
values of the first calibration sample are set to the ends of the ladder's input grid, so that the
file's input has just this grid, and every rung of a ladder is fed the same bytes.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from enum import Enum
from typing import Any

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import FloatArray, IntArray, TensorSpec
from tinyrobust.models.keras.onednn import as_written
from tinyrobust.models.keras.tf import quiet_stderr, tf
from tinyrobust.models.tflite.reader import MAX_FILE, read_graph


class Activations(Enum):
    """Width of all tensors but weights, which are int8 per output channel in both."""

    INT8 = "int8"
    INT16 = "int16x8"


def converted(model: Any, spec: TensorSpec, samples: IntArray, activations: Activations) -> bytes:
    """``model`` as a full-integer .tflite with an integer input and output.

    ``model`` is a Keras model of one input on the grid ``spec``.

    ``samples`` int8 [n, *spec.shape] calibrate the ranges of all inner tensors, at least one is
    needed. The input is on ``spec`` (int8), or on 256 times finer steps around 0 (int16; 128 times
    where ``spec`` has another zero point, for its levels to fit). Raises UsageError naming the
    model and what stands against it.
    """
    real = _calibration(spec, samples, activations)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.representative_dataset = lambda: _rows(real)
    converter.target_spec.supported_ops = [_OPERATORS[activations]]
    return _convert(converter, model, spec, activations)


def converted_with_ranges(model: Any, spec: TensorSpec) -> bytes:
    """``model`` as an int8 .tflite with the ranges that it has learned, without calibration.

    ``models/training/tfmot_qat.py`` makes such networks.
    """
    return _convert(tf.lite.TFLiteConverter.from_keras_model(model), model, spec, Activations.INT8)


def _convert(converter: Any, model: Any, spec: TensorSpec, activations: Activations) -> bytes:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = _TYPES[activations]
    try:
        with quiet_stderr(), warnings.catch_warnings(), as_written():
            warnings.simplefilter("ignore")
            tflite = bytes(converter.convert())
    except Exception as err:  # the converter raises whatever its passes raise
        raise UsageError(
            f"{model.name}: TFLiteConverter cannot convert it ({_line(err)})"
        ) from None
    if len(tflite) > MAX_FILE:
        raise UsageError(
            f"{model.name}: {len(tflite)} bytes as .tflite, at most {MAX_FILE} are supported"
        )
    _check_input(model, tflite, spec, activations)
    return tflite


_OPERATORS = {
    Activations.INT8: tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
    Activations.INT16: tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
}
_TYPES = {Activations.INT8: tf.int8, Activations.INT16: tf.int16}


def _calibration(spec: TensorSpec, samples: IntArray, activations: Activations) -> FloatArray:
    """Real values of ``samples``, stretched to the range that makes the wanted scale.

    The corners of the first sample are set to the ends of that range.
    """
    real = spec.dequantize(samples)
    low, high = spec.low, spec.high
    if activations is Activations.INT16:  # symmetric: scale = largest / 32767
        high = spec.scale * np.iinfo(np.int16).max / _int16_steps(spec)
        low = -high
        real = np.clip(real, low, high)
    real.reshape(-1)[[0, spec.size - 1]] = low, high
    return real


def _int16_steps(spec: TensorSpec) -> int:
    """Steps of an int16 input, whose zero point is 0, per step of the int8 input grid.

    q16 = (q8 - zero point) * steps.
    """
    return 256 if spec.zero_point == 0 else 128


def _rows(real: FloatArray) -> Iterator[list[FloatArray]]:
    for row in real:
        yield [row[np.newaxis]]


def _check_input(model: Any, tflite: bytes, spec: TensorSpec, activations: Activations) -> None:
    graph = read_graph(tflite)
    t = graph.tensors[graph.inputs[0]]
    scale, zero_point = spec.scale, spec.zero_point
    if activations is Activations.INT16:
        scale, zero_point = scale / _int16_steps(spec), 0
    if (
        t.scales.size != 1
        or not np.isclose(t.scales[0], scale, rtol=1e-6)
        or t.zero_points[0] != zero_point
    ):
        raise UsageError(
            f"{model.name}: the converter put its input on scale {t.scales} and zero point "
            f"{t.zero_points}, the data "
            f"are on {scale:.6g} and {zero_point}"
        )


def _line(err: Exception) -> str:
    lines = [line.strip() for line in str(err).splitlines() if line.strip()]
    return (lines or [type(err).__name__])[0][:200]
