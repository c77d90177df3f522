"""Data brought along with a Keras file: its input grid, and rows kept for calibration.

A Keras file names no input grid.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from tinyrobust.core.errors import UsageError
from tinyrobust.core.npz import UNREADABLE
from tinyrobust.core.progress import Say
from tinyrobust.core.types import Dataset, Int64Array, IntArray, TensorSpec
from tinyrobust.models.data.catalog import DATASETS, test_set
from tinyrobust.models.data.splits import Splits, dataset, to_input_grid

SEED = 0
_SHARE, _MOST = 10, 200
"""One row in ten, at most 200, calibrates; as many others check the export."""


@dataclass(frozen=True)
class UserData:
    """``splits`` on input grid ``spec``; ``train`` has no rows."""

    spec: TensorSpec
    splits: Splits
    class_names: tuple[str, ...]
    finer: Callable[[TensorSpec], Dataset | None] | None = None
    """The test part on a finer grid; see ``Ladder.finer``."""


def user_data(
    data: Path, shape: tuple[int, ...], outputs: int, power_of_two: bool, say: Say
) -> UserData:
    """``data`` for a Keras model that takes real [n, *shape] and has ``outputs``.

    It is a .npz or the name of a data set.

    The numbers in a .npz are what the model takes, unscaled: uint8 lie on the grid 0..255, int8 on
    -128..127, floats on the one their calibration rows need; ``power_of_two`` asks for a scale
    that QKeras models are exact on. Named data sets come on the input grid of the zoo's networks.
    Raises UsageError naming ``data``.
    """
    if data.suffix == ".npz" or data.is_file():
        return _of_file(data, shape, outputs, power_of_two, say)
    known = DATASETS.get(str(data))
    spec = (
        TensorSpec(shape, 1.0, 0)
        if known is None
        else TensorSpec(shape, known.spec.scale, known.spec.zero_point)
    )
    test, names = test_set(str(data), spec, outputs, say)  # refuses what is unknown or does not fit
    assert known is not None
    splits = known.splits()

    def part(one: Dataset) -> Dataset:
        return dataset(one.name, one.q.reshape(len(one.q), *shape), one.labels)

    return UserData(
        spec,
        Splits(part(splits.train), part(splits.validation), part(splits.calibration), test),
        names,
    )


def _of_file(
    path: Path, shape: tuple[int, ...], outputs: int, power_of_two: bool, say: Say
) -> UserData:
    x = read_npz(path)
    n = len(x)
    kept = min(_MOST, max(1, n // _SHARE))
    if n < 3:
        raise UsageError(
            f"{path}: {n} samples; one to calibrate, one to check the export and one to run are "
            "needed"
        )
    rows = np.random.default_rng(SEED).permutation(n)
    calibration, validation, test = (np.sort(part) for part in np.split(rows, [kept, 2 * kept]))
    spec = _spec_of(x, calibration, shape, power_of_two)
    whole = load_npz(path, spec, outputs)
    say(
        f"{path.name}: {kept} of {n} samples calibrate, {kept} others check the export, the "
        f"remaining {len(test)} are "
        f"evaluated (drawn with seed {SEED}); input scale {spec.scale:.6g}, zero point "
        f"{spec.zero_point}"
    )

    def part(name: str, rows: NDArray[np.int64]) -> Dataset:
        return dataset(f"{whole.name}/{name}", whole.q[rows], whole.labels[rows])

    splits = Splits(
        part("train", rows[:0]),
        part("validation", validation),
        part("calibration", calibration),
        part("test", test),
    )

    def finer(grid: TensorSpec) -> Dataset | None:
        fine = finer_npz(path, grid, outputs, grid)
        if fine is None:
            return None
        return dataset(f"{fine.name}/test", fine.q[test], fine.labels[test])

    return UserData(spec, splits, tuple(str(i) for i in range(outputs)), finer)


def _spec_of(
    x: NDArray[Any], rows: NDArray[np.int64], shape: tuple[int, ...], power_of_two: bool
) -> TensorSpec:
    if x.dtype.kind != "f":
        return TensorSpec(shape, 1.0, -128 if x.dtype == np.uint8 else 0)
    seen = x[rows]
    low, high = min(0.0, float(np.nanmin(seen))), max(0.0, float(np.nanmax(seen)))
    if not (math.isfinite(low) and math.isfinite(high)) or low == high:
        low, high = 0.0, 1.0  # ``load_npz`` names what is not finite
    if not power_of_two:
        scale = (high - low) / 255
        return TensorSpec(shape, scale, round(-128 - low / scale))
    zero_point = 0 if low < 0 else -128
    exponent = math.ceil(
        math.log2(max(high / (128 - zero_point), -low / 128))
    )  # the very top may saturate by one level
    return TensorSpec(shape, math.ldexp(1.0, exponent), zero_point)


MAX_BYTES = 1 << 30
"""Largest array that is read, unpacked: a compressed file must not be able to fill the memory."""

_ROWS = 1024


def load_npz(
    path: Path, spec: TensorSpec, outputs: int, model_input: TensorSpec | None = None
) -> Dataset:
    """A .npz as a Dataset on the grid ``spec``.

    It is array ``x`` [n, *shape] and, where there is one, labels ``y`` [n] of 0..outputs-1.

    ``x`` uint8 holds pixels (q = p - 128), int8 is taken as it is, floats are real values, rounded
    onto ``spec``; int16 holds points of an int16 ``model_input``. Dimensions of 1 may be missing or
    added. Raises UsageError naming the file.
    """
    arrays = _read(path)
    x = _samples(arrays, path)
    if [n for n in x.shape[1:] if n != 1] != [n for n in spec.shape if n != 1]:
        raise UsageError(
            f"{path}: x holds samples of shape {x.shape[1:]}, the model takes {spec.shape}"
        )
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        at = [int(i) for i in np.argwhere(~np.isfinite(x))[0]]
        raise UsageError(f"{path}: x{at} is not a finite number")
    q = _on_input_grid(x.reshape(len(x), *spec.shape), spec, path, model_input)
    labels = (
        _labels(arrays["y"], len(q), outputs, path)
        if "y" in arrays
        else np.full(len(q), -1, np.int64)
    )
    return dataset(path.stem, q, labels)


def read_npz(path: Path) -> NDArray[Any]:
    """Array ``x`` [n, ...] as it stands in the file, n > 0. Raises UsageError naming the file."""
    return _samples(_read(path), path)


def _samples(arrays: dict[str, NDArray[Any]], path: Path) -> NDArray[Any]:
    if "x" not in arrays:
        raise UsageError(
            f"{path}: no array 'x' in it (found: {', '.join(sorted(arrays)) or 'none'})"
        )
    x = arrays["x"]
    if x.ndim < 1 or not len(x):
        raise UsageError(f"{path}: x has shape {x.shape}; at least one sample is needed")
    return x


def finer_npz(
    path: Path, grid: TensorSpec, outputs: int, model_input: TensorSpec
) -> Dataset | None:
    """As ``load_npz``, on the points of an int16 input; None where that is no finer.

    So it is for 8-bit samples and for data sets by name.
    """
    if path.suffix != ".npz" and not path.is_file():
        return None
    if read_npz(path).dtype.itemsize == 1:
        return None
    return load_npz(path, grid, outputs, model_input)


def _on_input_grid(
    x: NDArray[Any], spec: TensorSpec, path: Path, model_input: TensorSpec | None
) -> IntArray:
    if x.dtype == np.uint8:
        return to_input_grid(x)
    if x.dtype == np.int8:
        return x.astype(np.int8)
    unit = 1.0
    if x.dtype == np.int16 and model_input is not None and model_input.dtype == "int16":
        unit = model_input.scale
    elif x.dtype.kind != "f":
        raise UsageError(
            f"{path}: x is {x.dtype}; uint8 pixels, int8 or floating point is supported, and int16 "
            "for a .tflite of int16 input"
        )
    q = np.empty(x.shape, spec.dtype)
    for at in range(
        0, len(x), _ROWS
    ):  # float64 of all of it at once could be eight times what was bounded
        steps = x[at : at + _ROWS].astype(np.float64) * (unit / spec.scale)
        q[at : at + _ROWS] = np.clip(np.rint(steps) + spec.zero_point, spec.bottom, spec.top)
    return q


def _labels(y: NDArray[Any], n: int, outputs: int, path: Path) -> Int64Array:
    if y.dtype.kind not in "iu" or y.shape not in ((n,), (n, 1)):
        raise UsageError(f"{path}: y is {y.dtype} {y.shape}; {n} whole numbers are needed")
    y = y.reshape(-1)
    wrong = np.flatnonzero((y < 0) | (y >= outputs))
    if wrong.size:
        raise UsageError(
            f"{path}: y[{wrong[0]}] is {y[wrong[0]]}; the model has classes 0 to {outputs - 1}"
        )
    return y.astype(np.int64)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays ``x`` and ``y``, and the names of all others.

    Each is checked by its header before it is unpacked.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                name.removesuffix(".npy"): _array(archive, name, path)
                for name in archive.namelist()[:64]
            }
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
            raise UsageError(
                f"{path}: {name} is {dtype} {shape}; plain numbers of at most {MAX_BYTES} bytes fit"
            )
    with archive.open(name) as member:
        return np.asarray(npy.read_array(member, allow_pickle=False))
