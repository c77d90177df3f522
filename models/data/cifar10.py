"""CIFAR-10 (Krizhevsky 2009) on the input grid q = pixel - 128, that is x = q / 128.

Read from the mosaics under ``BENCH_DATA`` (development, CI) or from the official archive
(``models/data/download.py``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.errors import UsageError
from tinyrobust.core.progress import Say, to_stderr
from tinyrobust.core.types import Dataset, Int64Array, TensorSpec
from tinyrobust.models.data.download import Source, bench_data, files, found
from tinyrobust.models.data.splits import Splits, dataset, divided, of_pixels, to_input_grid

CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
SPEC = TensorSpec((32, 32, 3), 1 / 128, 0)
ARCHIVE = Source(
    folder="cifar10",
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    size=170_052_171,
)
_TRAIN_PARTS = 5
_PART_ROWS = 10_000
_ROW_BYTES = 1 + 3 * 32 * 32

Images = NDArray[np.uint8]


def cifar10(say: Say = to_stderr) -> Splits:
    """Official 10,000 test images; of the others 500 calibrate, 2,000 validate, 47,500 train.

    Raises UsageError when the data are neither under ``BENCH_DATA`` nor to be had.
    """
    numbers = range(1, _TRAIN_PARTS + 1)
    images, labels = _parts(
        [f"train_{i}" for i in numbers], [f"data_batch_{i}" for i in numbers], say
    )
    part = of_pixels("cifar10", images, labels)
    return divided(part, labels, (500, 2_000), official_test(say))


def official_test(say: Say = to_stderr) -> Dataset:
    """The official 10,000 test images alone."""
    images, labels = _parts(["test"], ["test_batch"], say)
    return dataset("cifar10/test", to_input_grid(images), labels)


def _parts(mosaic: list[str], binary: list[str], say: Say) -> tuple[Images, Int64Array]:
    """Images and labels of ``mosaic``, or of ``binary`` in the archive where no mosaics are."""
    root = bench_data()
    folder = root / "cifar10" if root else None
    if folder and (folder / "labels.npz").exists():
        parts = [_mosaic(folder, name) for name in mosaic]
    else:
        path = found(ARCHIVE, say)
        members = dict(files(path, _PART_ROWS * _ROW_BYTES))
        parts = [
            _rows(path, name, members.get(f"cifar-10-batches-bin/{name}.bin", b""))
            for name in binary
        ]
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return images, labels


def _mosaic(folder: Path, name: str) -> tuple[Images, Int64Array]:
    """A 100 by 100 mosaic of 32 by 32 tiles, row by row, in the official order."""
    from PIL import Image

    try:
        with Image.open(folder / f"{name}.webp") as picture:
            mosaic = np.asarray(picture.convert("RGB"))
        with np.load(folder / "labels.npz", allow_pickle=False) as labels:
            named = labels[f"{name}_y"].astype(np.int64)
        tiles = mosaic.reshape(100, 32, 100, 32, 3).swapaxes(1, 2)
    except (OSError, ValueError, KeyError) as err:
        raise UsageError(f"{folder / name}.webp: not a CIFAR-10 mosaic ({err})") from None
    return tiles.reshape(-1, 32, 32, 3), named


def _rows(path: Path, name: str, raw: bytes) -> tuple[Images, Int64Array]:
    """The binary version: rows of one label byte and three 32 by 32 colour planes."""
    if len(raw) != _PART_ROWS * _ROW_BYTES:
        raise UsageError(
            f"{path}: {name}.bin is not {_PART_ROWS} CIFAR-10 rows; delete the file and run again"
        )
    rows = np.frombuffer(raw, np.uint8).reshape(-1, _ROW_BYTES)
    return rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), rows[:, 0].astype(np.int64)
