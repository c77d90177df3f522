"""Keras and QKeras models of others, of which no code runs.

Layers are rebuilt from a description, and numbers are read into them.

``keras.models.load_model`` is never called: it unmarshals Lambda layers, imports modules that a
file names and traces a SavedModel's functions. What takes its place: ``source.py`` reads,
``rebuild.py`` builds, this fills.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.models.keras.files.rebuild import rebuilt
from tinyrobust.models.keras.files.source import Source, opened
from tinyrobust.models.keras.files.values import first_line
from tinyrobust.models.keras.tf import quiet_stderr, tf

_QUANTIZED = ("qkeras.", "tinyrobust.models.keras.")
"""Modules of quantized layers: QKeras's own, and ``QDenseBatchnorm``."""
MAX_WEIGHTS = 1 << 27
"""Numbers in all weights together, 512 MiB as float32."""
_KERAS_3 = (
    "Keras 3 wrote it, of which plain layers are supported; to save for Keras "
    "2, build the model again and set "
    "TF_USE_LEGACY_KERAS=1 (package tf_keras) before TensorFlow is imported"
)


def load_keras(path: Path) -> Any:
    """A Keras or QKeras model from a file or folder, for inference.

    It may be .h5, .keras (Keras 2 or 3) or a SavedModel folder.

    Layers that are not in ``allowed.LAYERS`` are refused, whatever their name. Raises
    UsageError naming the file, the layer and the reason.
    """
    try:
        with quiet_stderr(), opened(path) as source:
            model = _loaded(source)
    except UsageError as err:
        raise UsageError(f"{path}: {err}") from None
    except (OSError, KeyError, zipfile.BadZipFile, ValueError, RecursionError, MemoryError) as err:
        raise UsageError(f"{path}: not a whole Keras model ({first_line(err)})") from None
    except Exception as err:  # HDF5, zipfile and TensorFlow raise much on damaged files
        raise UsageError(f"{path}: Keras cannot load it ({first_line(err)})") from None
    return model


def load_float(path: Path) -> Any:
    """A full-precision Keras model, as ``load_keras``. Raises UsageError for a QKeras one too."""
    model = load_keras(path)
    if is_quantized(model):
        raise UsageError(
            f"{path}: it has QKeras layers; the float baseline is the full-precision network"
        )
    return model


def is_quantized(model: Any) -> bool:
    """Whether any layer is one of QKeras's."""
    return any(type(layer).__module__.startswith(_QUANTIZED) for layer in model.layers)


def _loaded(source: Source) -> Any:
    try:
        with tf.variable_creator_scope(_Unfilled().make):
            model = rebuilt(source.description, source.major)
    except UsageError as err:
        raise UsageError(f"{err} ({_KERAS_3})" if source.major == 3 else str(err)) from None
    if getattr(model, "input_shape", None) is None:
        raise UsageError("it holds no Keras model with fixed inputs")
    model.load_weights(str(source.weights))
    for weight in model.weights:
        if weight.dtype.is_floating and np.isnan(weight.numpy()).any():
            raise UsageError(f"its weights {weight.name} are missing, or are no numbers")
    _finish(model)
    return model


def _finish(model: Any) -> None:
    """Layers that compute constants from their weights do so now, as after ``load_model``."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            _finish(layer)
        elif hasattr(layer, "finalize_state"):
            layer.finalize_state()


class _Unfilled:
    """Weights made without their initial values, and no more of them than fit.

    They are NaN, so that one that the file lacks is found.

    A description of two lines can ask for terabytes; the sizes are known here, before anything
    is allocated.
    """

    def __init__(self) -> None:
        self._left = MAX_WEIGHTS

    def make(self, make: Callable[..., Any], **options: Any) -> Any:
        """TensorFlow's hook: a variable of ``options``. Raises ValueError where it is too large."""
        shape, initial = options.get("shape"), options.get("initial_value")
        if not callable(initial) or shape is None:  # a constant that is there already
            return make(**options)
        shape, dtype = tf.TensorShape(shape), tf.as_dtype(options.get("dtype") or "float32")
        count = shape.num_elements()
        if count is None or count > self._left:
            name = options.get("name")
            raise ValueError(
                f"its weights {name} {list(shape)} are too large; {MAX_WEIGHTS} numbers fit"
            )
        self._left -= count
        if dtype.is_floating:
            options["initial_value"] = lambda: tf.fill(shape, tf.cast(float("nan"), dtype))
        return make(**options)
