"""The three containers of Keras models: .h5, .keras and SavedModel.

Each is read as a description and the place of the weights.

Only JSON and arrays are taken from them. A SavedModel's ``saved_model.pb``, a program with
operators that read and write files, is never opened.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.models.keras.files.hdf5 import (
    MAX_BYTES,
    MAX_DESCRIPTION,
    check_hdf5,
    description_of,
    parsed,
)
from tinyrobust.models.keras.tf import tf

SUFFIXES = (".h5", ".hdf5", ".keras")
_METADATA = "keras_metadata.pb"
_WEIGHTS = "model.weights.h5"
_VARIABLES = Path("variables") / "variables"


@dataclass(frozen=True)
class Source:
    """What a file of a Keras model holds.

    ``weights`` is what ``load_weights`` of a Keras model takes; ``version`` is Keras's, if told.
    """

    description: Any
    version: str
    weights: Path

    @property
    def major(self) -> int:
        """3 for Keras 3, 2 for what is older."""
        return 3 if self.version.startswith("3.") else 2


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Reads the description at ``path`` and looks through the weights.

    The weights are there while this context is open.

    Raises UsageError without the path; zipfile, HDF5 and JSON raise what they find in a damaged
    file.
    """
    check_place(path)
    if path.is_dir():
        yield _saved_model(path)
    elif path.suffix == ".keras" and zipfile.is_zipfile(path):
        with tempfile.TemporaryDirectory() as folder:
            yield _archive(path, Path(folder))
    else:  # TensorFlow up to 2.11 wrote HDF5 under the name .keras, too
        check_hdf5(path)
        yield Source(*description_of(path), path)


def check_place(path: Path) -> None:
    """Refuses a ``path`` that is no file or folder of the kinds and sizes that are read.

    Raises UsageError.
    """
    if not path.exists():
        raise UsageError("no such file")
    if path.is_dir():
        if not (path / "saved_model.pb").is_file():
            raise UsageError("a folder without saved_model.pb is no SavedModel")
        if not (path / _METADATA).is_file():
            raise UsageError(
                f"a SavedModel without {_METADATA} has no Keras layers; save it with model.save()"
            )
    elif path.suffix not in SUFFIXES or not path.is_file():
        raise UsageError("give a Keras .h5 or .keras file or a SavedModel folder")
    read = [path / _METADATA, *path.glob(f"{_VARIABLES}*")] if path.is_dir() else [path]
    size = sum(file.stat().st_size for file in read)
    if size > MAX_BYTES:
        raise UsageError(f"{size} bytes, at most {MAX_BYTES} are supported")


def _archive(path: Path, folder: Path) -> Source:
    with zipfile.ZipFile(path) as archive:
        if sum(item.file_size for item in archive.infolist()) > MAX_BYTES:
            raise UsageError(f"unpacked larger than {MAX_BYTES} bytes")
        description = parsed(_member(archive, "config.json"))
        metadata = parsed(_member(archive, "metadata.json"))
        with archive.open(_WEIGHTS) as packed, (folder / _WEIGHTS).open("wb") as file:
            shutil.copyfileobj(
                packed, file
            )  # a member yields no more bytes than its size, summed up above
    check_hdf5(folder / _WEIGHTS)
    version = metadata.get("keras_version") if isinstance(metadata, dict) else ""
    return Source(description, str(version), folder / _WEIGHTS)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.namelist():
        raise UsageError(f"it has no {name}, which model.save() writes")
    with archive.open(name) as file:
        return file.read(MAX_DESCRIPTION + 1)


def _saved_model(path: Path) -> Source:
    from google.protobuf.message import DecodeError
    from tf_keras.protobuf import saved_metadata_pb2

    saved = saved_metadata_pb2.SavedMetadata()
    try:
        saved.ParseFromString((path / _METADATA).read_bytes())
    except DecodeError as err:
        raise UsageError(f"{_METADATA}: {err}") from None
    root = next((node.metadata for node in saved.nodes if node.node_path == "root"), None)
    description = parsed(root or "null")
    if not isinstance(description, dict) or not isinstance(description.get("config"), dict):
        raise UsageError(f"its {_METADATA} describes no Sequential or Functional model")
    weights = path / _VARIABLES
    if not weights.with_suffix(".index").is_file():
        raise UsageError(f"it has no {_VARIABLES}.index, where the weights are")
    _check_checkpoint(weights)
    return Source(description, str(description.get("keras_version", "")), weights)


def _check_checkpoint(prefix: Path) -> None:
    reader = tf.train.load_checkpoint(str(prefix))
    dtypes = reader.get_variable_to_dtype_map()
    shapes = reader.get_variable_to_shape_map()
    size = sum(int(np.prod(shapes[k], dtype=object)) * max(dtypes[k].size or 1, 1) for k in shapes)
    if size > MAX_BYTES:
        raise UsageError(f"its variables have {size} bytes, at most {MAX_BYTES} are supported")
