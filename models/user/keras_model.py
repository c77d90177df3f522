"""A Keras or QKeras file brought by the user, exported here and turned into a ladder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.progress import Say
from tinyrobust.core.types import IntArray, TensorSpec
from tinyrobust.models.export.converter import Activations
from tinyrobust.models.export.plain_keras import PRECISIONS, quantized
from tinyrobust.models.export.qkeras import export_qat
from tinyrobust.models.export.steps import steps_of
from tinyrobust.models.keras.files.load import is_quantized, load_float, load_keras
from tinyrobust.models.keras.quantizers import signed
from tinyrobust.models.keras.tf import keras
from tinyrobust.models.rungs.ladder import Ladder
from tinyrobust.models.rungs.predictors import KerasPredictor, without_softmax
from tinyrobust.models.user.data import user_data

from qkeras import QActivation  # isort: skip  (after tinyrobust.models.keras.tf)

FLOOR = 0.95
"""Share of a foreign QKeras network's predictions that its export must keep."""
_WIDEST = 24


def open_keras(
    path: Path, float_path: Path | None, data: Path, cache: Path, say: Say, activations: str = ""
) -> Ladder:
    """The ladder of a Keras model: ``path`` .h5, .keras or SavedModel.

    A QKeras network is lowered as it is, a plain one quantized after training.

    ``float_path`` is a QKeras network's float baseline, ``data`` a .npz or a data set by name;
    ``activations`` is what a plain network gets: ``int8`` (also when empty) or ``int16x8``. Raises
    UsageError for what cannot be read or has no integer form, GateFailed where too few predictions
    survive.
    """
    say(f"{path.name}: loading the model")
    model = without_softmax(load_keras(path))
    exact = is_quantized(model)
    if not exact and float_path is not None:
        raise UsageError(
            f"{path}: a plain Keras model is its own float baseline; leave out --float {float_path}"
        )
    if exact and activations:
        raise UsageError(
            f"{path}: a QKeras model has its own activations; leave out --activations {activations}"
        )
    shape = _input_shape(model, path)
    brought = user_data(data, shape, int(np.prod(model.output_shape[1:])), exact, say)
    splits, names = brought.splits, brought.class_names
    if not exact:
        precision = next(
            p for p in PRECISIONS if p.activations.value == (activations or Activations.INT8.value)
        )
        made = quantized(path.stem, model, brought.spec, splits, names, precision, cache, say)
        return replace(made, finer=brought.finer)
    full = None if float_path is None else without_softmax(load_float(float_path))
    qat = with_output_grid(model, brought.spec, splits.calibration.q, say)
    return export_qat(path.stem, full, qat, brought.spec, splits, names, cache, say, FLOOR)


def with_output_grid(model: Any, spec: TensorSpec, q: IntArray, say: Say) -> Any:
    """``model`` with an 8-bit power-of-two grid for its logits.

    It is ``model`` itself where that ends with a QActivation.

    Accumulators are exact but wider than the int8 output: the grid is chosen to keep most
    predictions on ``q``, of equals the widest, and becomes part of the network that all rungs
    answer for.
    """
    last = steps_of(model)[-1]
    if last.quantizer is not None or not hasattr(last.layer, "kernel_quantizer_internal"):
        return model
    logits = KerasPredictor(model, "qat", spec).predict(q).logits
    top = logits.argmax(axis=1)
    widest = int(np.ceil(np.log2(max(float(np.abs(logits).max()), 1.0))))
    if not np.isfinite(logits).all() or widest > _WIDEST:
        raise UsageError(
            f"layer {last.name}: its outputs reach {np.abs(logits).max():.3g}, no grid covers that"
        )

    def kept(integer: int) -> float:
        grid = np.asarray(signed(integer)(logits))
        return float(np.mean(grid.argmax(axis=1) == top))

    integer = max(range(widest, max(-1, widest - 4), -1), key=kept)
    say(
        f"layer {last.name} ends the network without a QActivation: its outputs are put on an int8 "
        "grid of steps of "
        f"{2.0 ** (integer - 7):g}, which keeps {kept(integer):.2%} of the predictions on {len(q)} "
        "calibration samples"
    )
    out = QActivation(signed(integer), name=f"{last.name}_grid")(model.output)
    return keras.Model(model.inputs, out, name=model.name)


def _input_shape(model: Any, path: Path) -> tuple[int, ...]:
    if isinstance(model.input_shape, list):
        raise UsageError(f"{path}: it has {len(model.input_shape)} inputs; 1 is supported")
    shape = tuple(model.input_shape[1:])
    if not shape or any(d is None for d in shape):
        raise UsageError(
            f"{path}: its input shape {shape} is not fixed; build the model with a fixed input size"
        )
    return tuple(int(d) for d in shape)
