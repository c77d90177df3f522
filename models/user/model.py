"""A network brought by the user: a .tflite, its float model and data, turned into a ladder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.grid import input_grid
from tinyrobust.core.progress import Say
from tinyrobust.core.types import Dataset, Predictor
from tinyrobust.models.data.catalog import test_set
from tinyrobust.models.plan import bundle
from tinyrobust.models.rungs.ladder import Ladder, tflm_rung
from tinyrobust.models.rungs.twin.predictor import TwinPredictor
from tinyrobust.models.tflite.reader import MAX_FILE
from tinyrobust.models.user.data import finer_npz, load_npz, read_npz


def open_files(
    model: Path,
    float_model: Path | None,
    data: Path,
    cache: Path,
    say: Say,
    activations: str = "",
) -> Ladder:
    """The ladder of a user's model and data.

    ``model`` is .tflite, Keras or QKeras .h5, .keras or SavedModel; ``float_model`` one of the
    latter three; ``data`` .npz or a data set by name; ``activations`` of a plain Keras model,
    ``int8`` if empty, or ``int16x8``.

    Raises UsageError for whatever cannot be read or does not fit together.
    """
    if model.suffix != ".tflite":
        from tinyrobust.models.user.keras_model import open_keras

        return open_keras(model, float_model, data, cache, say, activations)
    if activations:
        raise UsageError(
            f"{model}: a .tflite has its activations already; leave out --activations {activations}"
        )
    tflite = read_bounded(model, MAX_FILE)
    try:
        built = bundle.build(tflite, cache)
    except UsageError as err:  # the compiler knows no file: it says "model"
        raise UsageError(f"{model}: {str(err).removeprefix('model: ')}") from None
    built = _on_input_grid(built, model.name, data, say)
    test, names = _test_set(data, built, say)
    rungs: list[Predictor] = []
    unavailable: tuple[tuple[str, str], ...] = (
        ("qat", "no QKeras model belongs to a .tflite file"),
    )
    if float_model is None:
        unavailable = (("float32", "no float model given (--float)"), *unavailable)
    else:
        from tinyrobust.models.keras.files.load import load_float
        from tinyrobust.models.rungs.predictors import KerasPredictor

        say(f"{float_model.name}: loading the float model")
        rungs.append(KerasPredictor(load_float(float_model), "float32", built.input))
    rungs.append(TwinPredictor(tflite, built.input))
    tflm, missing = tflm_rung(tflite, model.name, built.input)
    if tflm is not None:
        rungs.append(tflm)
        built = bundle.build(tflite, cache, tflm.arena_bytes, built.input)
    return Ladder(
        model.stem,
        built,
        tuple(rungs),
        test,
        names,
        unavailable + missing,
        (),
        lambda grid: finer_npz(data, grid, built.output.size, built.grid),
    )


def _on_input_grid(built: bundle.Bundle, name: str, data: Path, say: Say) -> bundle.Bundle:
    """``built`` with the 256 levels that an int16 input is fed through.

    They lie from 0 on, or around it where the data are.
    """
    if built.grid.dtype == "int8":
        return built
    spec = input_grid(built.grid, signed=_is_signed(data))
    low = max(spec.low, built.grid.low)
    say(f"{name}: int16 input, the 256 levels of the data span {low:.4g} to {spec.high:.4g}")
    return replace(built, input=spec)


def _is_signed(data: Path) -> bool:
    """Whether ``data`` lie on both sides of 0.

    Features of speech do, and an ``.npz`` of int8 or with negative floats.
    """
    if data.suffix == ".npz" or data.is_file():
        x = read_npz(data)
        return x.dtype == np.int8 or (x.dtype.kind in "fi" and bool((x < 0).any()))
    return str(data) == "speech_commands"


def _test_set(data: Path, built: bundle.Bundle, say: Say) -> tuple[Dataset, tuple[str, ...]]:
    """Samples on the model's input grid and the names of its classes.

    A file goes before a data set of its name.
    """
    if data.suffix == ".npz" or data.is_file():
        numbers = tuple(str(i) for i in range(built.output.size))
        return load_npz(data, built.input, built.output.size, built.grid), numbers
    return test_set(str(data), built.input, built.output.size, say)


def read_bounded(path: Path, limit: int) -> bytes:
    """A file of at most ``limit`` bytes. Raises UsageError naming it."""
    try:
        if not path.is_file():
            raise UsageError(f"{path}: no such file")
        if path.stat().st_size > limit:
            raise UsageError(f"{path}: {path.stat().st_size} bytes, at most {limit} are supported")
        return path.read_bytes()
    except OSError as err:
        raise UsageError(f"{path}: {err.strerror}") from None
