"""An HDF5 file looked through before anything in it is read.

It may hold nothing outside the file, nothing huge, only numbers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tinyrobust.core.errors import UsageError

MAX_BYTES = 512 << 20
"""Largest file, archive, once unpacked, and sum of all arrays."""
MAX_DESCRIPTION = 16 << 20
"""Longest JSON description, in bytes."""
MAX_OBJECTS = 1 << 16


def check_hdf5(path: Path) -> None:
    """Refuses links out of the file and arrays that are no bounded numbers.

    Raises UsageError without the file's name.

    HDF5 lets a file take a group from another file, an array from any file's raw bytes, and
    claim terabytes that a few bytes unpack to.
    """
    with h5py.File(path, "r") as file:
        reason = file.visititems_links(_link_refused) or file.visititems(_Sizes().refused)
    if reason is not None:
        raise UsageError(reason)


def description_of(path: Path) -> tuple[Any, str]:
    """The model's JSON and the version of Keras that wrote it, empty in old files.

    Raises UsageError, and what h5py raises.
    """
    with h5py.File(path, "r") as file:
        if "model_config" not in file.attrs:
            raise UsageError(
                "it holds weights without a model; save the whole model with model.save()"
            )
        text, version = file.attrs["model_config"], file.attrs.get("keras_version", "")
    if not isinstance(text, str | bytes):
        raise UsageError("its model_config is no text")
    return parsed(text), version.decode("utf-8", "replace") if isinstance(version, bytes) else str(
        version
    )


def parsed(text: str | bytes) -> Any:
    """``text`` as JSON.

    Raises UsageError where it is too long, ValueError or RecursionError where it is none.
    """
    if len(text) > MAX_DESCRIPTION:
        raise UsageError(
            f"its description has {len(text)} bytes, at most {MAX_DESCRIPTION} are supported"
        )
    return json.loads(text)


def _link_refused(name: str, link: Any) -> str | None:
    """Why ``link`` is refused, or None.

    h5py ends its walk at the first answer, and cannot pass on an exception.
    """
    if isinstance(link, h5py.HardLink):
        return None
    return f"its {_shown(name)} is a link; weights must lie in the file itself"


class _Sizes:
    def __init__(self) -> None:
        self._objects = 0
        self._bytes = 0

    def refused(self, name: str, item: Any) -> str | None:
        """Why ``item`` is refused, None where it is a group or an array that still fits."""
        self._objects += 1
        if self._objects > MAX_OBJECTS:
            return f"it has more than {MAX_OBJECTS} objects"
        if isinstance(item, h5py.Group):
            return None
        if (
            not isinstance(item, h5py.Dataset)
            or item.dtype.kind not in "biuf"
            or item.shape is None
        ):
            return f"its {_shown(name)} is no array of numbers"
        if item.external or item.is_virtual:
            return f"its {_shown(name)} lies in another file; weights must lie in the file itself"
        self._bytes += int(np.prod(item.shape, dtype=object)) * item.dtype.itemsize
        return f"its arrays have more than {MAX_BYTES} bytes" if self._bytes > MAX_BYTES else None


def _shown(name: str) -> str:
    return f"{name[:80]!a}"
