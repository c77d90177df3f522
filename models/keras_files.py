"""Keras and QKeras models of others, loaded without running code that came in the file."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from host.types import UsageError
from models.qdense_batchnorm import QDenseBatchnorm
from models.quantizers import quantized_bits_exact, stochastic_binary_exact, stochastic_ternary_exact
from models.rounding import CUSTOM_OBJECTS
from models.tf import keras, quiet_stderr

from qkeras import QActivation  # isort: skip  (after models.tf)

MAX_BYTES = 512 << 20
SUFFIXES = (".h5", ".hdf5", ".keras")
_METADATA = "keras_metadata.pb"
_MODELS = ("Functional", "Model", "Sequential")
_OURS = (QDenseBatchnorm, quantized_bits_exact, stochastic_binary_exact, stochastic_ternary_exact)


def load_keras(path: Path) -> Any:
    """A Keras or QKeras model from .h5, .keras or a SavedModel folder, for inference.

    Lambda layers hold pickled code and are refused, as is every layer class that neither Keras nor QKeras has. Raises
    UsageError naming the file, the layer and the reason.
    """
    _check(path)
    objects = _known_objects()
    config = _config(path)
    for layer, kind in _layers(config, path):
        if kind == "Lambda":
            raise UsageError(f"{path}: layer {layer} is a Lambda layer, which is code; export the model without it")
        if kind not in objects and not hasattr(keras.layers, kind):
            raise UsageError(f"{path}: layer {layer} ({kind}): neither Keras nor QKeras 0.9 has such a layer")
    try:
        with quiet_stderr(), keras.utils.custom_object_scope(objects):
            model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as err:  # Keras raises whatever its layers raise
        raise UsageError(f"{path}: Keras cannot load it ({_line(err)})") from None
    if not hasattr(model, "layers") or getattr(model, "input_shape", None) is None:
        raise UsageError(f"{path}: it holds no Keras model with fixed inputs")
    return model


def load_float(path: Path) -> Any:
    """A full-precision Keras model, as ``load_keras``. Raises UsageError for a QKeras one too."""
    model = load_keras(path)
    if is_quantized(model):
        raise UsageError(f"{path}: it has QKeras layers; the float baseline is the full-precision network")
    return model


def is_quantized(model: Any) -> bool:
    """Whether any layer is one of QKeras's."""
    return any(type(layer).__module__.startswith(("qkeras", "models.")) for layer in model.layers)


def _check(path: Path) -> None:
    if not path.exists():
        raise UsageError(f"{path}: no such file")
    if path.is_dir():
        if not (path / "saved_model.pb").is_file():
            raise UsageError(f"{path}: a folder without saved_model.pb is no SavedModel")
        if not (path / _METADATA).is_file():
            raise UsageError(f"{path}: a SavedModel without {_METADATA} has no Keras layers; save it with model.save()")
    elif path.suffix not in SUFFIXES:
        raise UsageError(f"{path}: give a Keras .h5 or .keras file or a SavedModel folder")
    size = sum(p.stat().st_size for p in path.rglob("*")) if path.is_dir() else path.stat().st_size
    if size > MAX_BYTES:
        raise UsageError(f"{path}: {size} bytes, at most {MAX_BYTES} are supported")


def _known_objects() -> dict[str, Any]:
    from qkeras.utils import _add_supported_quantized_objects

    objects: dict[str, Any] = dict(CUSTOM_OBJECTS)
    _add_supported_quantized_objects(objects)
    return objects | {kind.__name__: kind for kind in _OURS} | {"QActivation": _Activation}


class _Activation(QActivation):  # type: ignore[misc]
    """QKeras leaves the quantizer of a ``QActivation`` a dictionary when it comes from a .keras file."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Keras's hook; the layer it makes is QKeras's own."""
        activation = config["activation"]
        if isinstance(activation, dict) and "module" in activation:
            activation = keras.utils.deserialize_keras_object(activation)
        return QActivation(**{**config, "activation": activation})


def _config(path: Path) -> Any:
    """The model's own description: JSON, read before anything is built from it."""
    try:
        if path.is_dir():
            return _metadata((path / _METADATA).read_bytes())
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                if sum(item.file_size for item in archive.infolist()) > MAX_BYTES:
                    raise ValueError(f"unpacked larger than {MAX_BYTES} bytes")
                return json.loads(archive.read("config.json"))
        import h5py

        with h5py.File(path) as file:
            return json.loads(file.attrs["model_config"])
    except (OSError, KeyError, ValueError, TypeError, RecursionError, RuntimeError, zipfile.BadZipFile) as err:
        raise UsageError(f"{path}: not a whole Keras model ({_line(err)})") from None


def _metadata(data: bytes) -> Any:
    """All JSON objects in a SavedModel's Keras metadata, one of each layer."""
    from google.protobuf.message import DecodeError
    from tf_keras.protobuf import saved_metadata_pb2

    saved = saved_metadata_pb2.SavedMetadata()
    try:
        saved.ParseFromString(data)
    except DecodeError as err:
        raise ValueError(f"{_METADATA}: {err}") from None
    return [json.loads(node.metadata) for node in saved.nodes if node.metadata]


def _layers(config: Any, path: Path) -> Iterator[tuple[str, str]]:
    """Name and class of every layer in the description, however deep."""
    pending = [config]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending += reversed(node)
        elif isinstance(node, dict):
            inner = node.get("config")
            inner = inner if isinstance(inner, dict) else {}
            kind, name = node.get("class_name"), inner.get("name", node.get("name"))
            if isinstance(kind, str) and isinstance(name, str) and kind not in _MODELS:
                yield name, kind.split(">")[-1]
            pending += reversed(node.values())


def _line(err: Exception) -> str:
    return (str(err).strip().splitlines() or [type(err).__name__])[0][:200]
