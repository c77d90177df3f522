"""Data brought along with a Keras file, which names no input lattice: the lattice, and rows kept for calibration."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from host.types import Dataset, TensorSpec, UsageError
from models.data import Splits, dataset
from models.datasets import DATASETS, test_set
from models.npz import load_npz, read_npz

SEED = 0
_SHARE, _MOST = 10, 200
"""One row in ten, at most 200, calibrates; as many others check the export."""


@dataclass(frozen=True)
class UserData:
    """``splits`` on lattice ``spec``; ``train`` has no rows."""

    spec: TensorSpec
    splits: Splits
    class_names: tuple[str, ...]


def user_data(
    data: Path, shape: tuple[int, ...], outputs: int, power_of_two: bool, say: Callable[[str], None]
) -> UserData:
    """``data``, a .npz or the name of a data set, for a Keras model that takes real [n, *shape] and has ``outputs``.

    The numbers in a .npz are what the model takes, unscaled: uint8 lie on the lattice 0..255, int8 on -128..127, floats
    on the one their calibration rows need; ``power_of_two`` asks for a scale that QKeras models are exact on. Named
    data sets come on the lattice of the zoo's networks. Raises UsageError naming ``data``.
    """
    if data.suffix == ".npz" or data.is_file():
        return _of_file(data, shape, outputs, power_of_two, say)
    known = DATASETS.get(str(data))
    spec = TensorSpec(shape, 1.0, 0) if known is None else TensorSpec(shape, known.spec.scale, known.spec.zero_point)
    test, names = test_set(str(data), spec, outputs, say)  # refuses what is unknown or does not fit
    assert known is not None
    splits = known.splits()

    def part(one: Dataset) -> Dataset:
        return dataset(one.name, one.q.reshape(len(one.q), *shape), one.labels)

    return UserData(spec, Splits(part(splits.train), part(splits.validation), part(splits.calibration), test), names)


def _of_file(
    path: Path, shape: tuple[int, ...], outputs: int, power_of_two: bool, say: Callable[[str], None]
) -> UserData:
    x = read_npz(path)
    n = len(x)
    kept = min(_MOST, max(1, n // _SHARE))
    if n < 3:
        raise UsageError(f"{path}: {n} samples; one to calibrate, one to check the export and one to run are needed")
    rows = np.random.default_rng(SEED).permutation(n)
    calibration, validation, test = (np.sort(part) for part in np.split(rows, [kept, 2 * kept]))
    spec = _lattice(x, calibration, shape, power_of_two)
    whole = load_npz(path, spec, outputs)
    say(
        f"{path.name}: {kept} of {n} samples calibrate, {kept} others check the export, the remaining {len(test)} are "
        f"evaluated (drawn with seed {SEED}); input scale {spec.scale:.6g}, zero point {spec.zero_point}"
    )

    def part(name: str, rows: NDArray[np.int64]) -> Dataset:
        return dataset(f"{whole.name}/{name}", whole.q[rows], whole.labels[rows])

    splits = Splits(
        part("train", rows[:0]), part("validation", validation), part("calibration", calibration), part("test", test)
    )
    return UserData(spec, splits, tuple(str(i) for i in range(outputs)))


def _lattice(x: NDArray[Any], rows: NDArray[np.int64], shape: tuple[int, ...], power_of_two: bool) -> TensorSpec:
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
