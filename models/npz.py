"""Untrusted .npz data put on a model's int8 lattice."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from host.npz import UNREADABLE
from host.types import Dataset, Int8Array, Int64Array, TensorSpec, UsageError
from models.data import dataset, to_lattice

MAX_BYTES = 1 << 30
"""Largest array that is read, unpacked: a compressed file must not be able to fill the memory."""

_ROWS = 1024


def load_npz(path: Path, spec: TensorSpec, outputs: int) -> Dataset:
    """Array ``x`` [n, *shape] and, where there is one, labels ``y`` [n] of 0..outputs-1, as a Dataset.

    ``x`` uint8 holds pixels (q = p - 128), int8 is taken as it is, floats are real values, rounded onto ``spec``.
    Dimensions of 1 may be missing or added. Raises UsageError naming the file.
    """
    arrays = _read(path)
    x = _samples(arrays, path)
    if [n for n in x.shape[1:] if n != 1] != [n for n in spec.shape if n != 1]:
        raise UsageError(f"{path}: x holds samples of shape {x.shape[1:]}, the model takes {spec.shape}")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        at = [int(i) for i in np.argwhere(~np.isfinite(x))[0]]
        raise UsageError(f"{path}: x{at} is not a finite number")
    q = _on_lattice(x.reshape(len(x), *spec.shape), spec, path)
    labels = _labels(arrays["y"], len(q), outputs, path) if "y" in arrays else np.full(len(q), -1, np.int64)
    return dataset(path.stem, q, labels)


def read_npz(path: Path) -> NDArray[Any]:
    """Array ``x`` [n, ...] as it stands in the file, n > 0. Raises UsageError naming the file."""
    return _samples(_read(path), path)


def _samples(arrays: dict[str, NDArray[Any]], path: Path) -> NDArray[Any]:
    if "x" not in arrays:
        raise UsageError(f"{path}: no array 'x' in it (found: {', '.join(sorted(arrays)) or 'none'})")
    x = arrays["x"]
    if x.ndim < 1 or not len(x):
        raise UsageError(f"{path}: x has shape {x.shape}; at least one sample is needed")
    return x


def _on_lattice(x: NDArray[Any], spec: TensorSpec, path: Path) -> Int8Array:
    if x.dtype == np.uint8:
        return to_lattice(x)
    if x.dtype == np.int8:
        return x.astype(np.int8)
    if x.dtype.kind != "f":
        raise UsageError(f"{path}: x is {x.dtype}; uint8 pixels, int8 or floating point is supported")
    q = np.empty(x.shape, np.int8)
    for at in range(0, len(x), _ROWS):  # float64 of all of it at once could be eight times what was bounded
        steps = x[at : at + _ROWS].astype(np.float64) / spec.scale
        q[at : at + _ROWS] = np.clip(np.rint(steps) + spec.zero_point, -128, 127)
    return q


def _labels(y: NDArray[Any], n: int, outputs: int, path: Path) -> Int64Array:
    if y.dtype.kind not in "iu" or y.shape not in ((n,), (n, 1)):
        raise UsageError(f"{path}: y is {y.dtype} {y.shape}; {n} whole numbers are needed")
    y = y.reshape(-1)
    wrong = np.flatnonzero((y < 0) | (y >= outputs))
    if wrong.size:
        raise UsageError(f"{path}: y[{wrong[0]}] is {y[wrong[0]]}; the model has classes 0 to {outputs - 1}")
    return y.astype(np.int64)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays ``x`` and ``y``, each checked by its header before it is unpacked; the names of others."""
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy"): _array(archive, name, path) for name in archive.namelist()[:64]}
    except UNREADABLE as err:
        raise UsageError(f"{path}: not a readable .npz file ({err})") from None


def _array(archive: zipfile.ZipFile, name: str, path: Path) -> NDArray[Any]:
    if name not in ("x.npy", "y.npy"):
        return np.empty(0)
    with archive.open(name) as member:
        version = npy.read_magic(member)
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = header(member)
        if dtype.hasobject or int(np.prod(shape, dtype=object)) * dtype.itemsize > MAX_BYTES:
            raise UsageError(f"{path}: {name} is {dtype} {shape}; plain numbers of at most {MAX_BYTES} bytes fit")
    with archive.open(name) as member:
        return np.asarray(npy.read_array(member, allow_pickle=False))
