"""Float Keras models of others, loaded without running code that came in the file."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from host.types import UsageError
from models.rounding import CUSTOM_OBJECTS
from models.tf import keras

MAX_BYTES = 512 << 20


def load_float(path: Path) -> Any:
    """A Keras model from .h5, .keras or a SavedModel folder, for inference.

    Lambda layers hold pickled code and are refused. Raises UsageError naming the file and the reason.
    """
    return _load(path, {})


def load_qkeras(path: Path) -> Any:
    """A QKeras model from .h5 or .keras; QKeras's layers and quantizers are known, nothing else is."""
    from qkeras.utils import _add_supported_quantized_objects

    objects: dict[str, Any] = dict(CUSTOM_OBJECTS)
    _add_supported_quantized_objects(objects)
    return _load(path, objects)


def _load(path: Path, objects: dict[str, Any]) -> Any:
    if not path.exists():
        raise UsageError(f"{path}: no such file")
    if path.is_dir():
        if not (path / "saved_model.pb").is_file():
            raise UsageError(f"{path}: a folder without saved_model.pb is no SavedModel")
    elif path.stat().st_size > MAX_BYTES:
        raise UsageError(f"{path}: {path.stat().st_size} bytes, at most {MAX_BYTES} are supported")
    elif path.suffix not in (".h5", ".hdf5", ".keras"):
        raise UsageError(f"{path}: give a Keras .h5 or .keras file or a SavedModel folder")
    _refuse_lambda(path)
    try:
        with keras.utils.custom_object_scope(objects):
            model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as err:  # Keras raises whatever its layers raise
        raise UsageError(f"{path}: Keras cannot load it ({_line(err)})") from None
    if not hasattr(model, "input_shape") or not hasattr(model, "layers"):
        raise UsageError(f"{path}: it holds no Keras model with fixed inputs")
    return model


def _refuse_lambda(path: Path) -> None:
    """Legacy .h5 files carry Lambda bytecode that safe_mode does not stop: look before loading."""
    if '"class_name": "Lambda"' in _config(path):
        raise UsageError(f"{path}: it has a Lambda layer, which is code; export the model without it")


def _config(path: Path) -> str:
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                return archive.read("config.json").decode()
        if path.suffix in (".h5", ".hdf5"):
            import h5py

            with h5py.File(path) as file:
                config = file.attrs["model_config"]
                return config if isinstance(config, str) else config.decode()
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as err:
        raise UsageError(f"{path}: not a whole Keras model ({_line(err)})") from None
    return ""


def _line(err: Exception) -> str:
    return (str(err).strip().splitlines() or [type(err).__name__])[0][:200]
