"""CIFAR-10 (Krizhevsky 2009) on the input lattice q = pixel - 128, that is x = q / 128.

Read from the mosaics under ``BENCH_DATA`` (development, CI) or from the official archive (``models/download.py``).
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from host.types import Dataset, Int8Array, Int64Array, TensorSpec, UsageError
from models.data import Splits, dataset, stratified
from models.download import Source, bench_data, fetched

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SPEC = TensorSpec((32, 32, 3), 1 / 128, 0)
ARCHIVE = Source(
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    algorithm="md5",  # the only one its author publishes
    digest="c32a1d4ab5d03f1284b67883e8d87530",
    size=170_052_171,
)
_TRAIN_PARTS = 5
_PART_ROWS = 10_000
_ROW_BYTES = 1 + 3 * 32 * 32

Images = NDArray[np.uint8]


def cifar10() -> Splits:
    """Official 10,000 test images; 500 calibration and 2,000 validation images, balanced, out of the 50,000 others.

    Raises UsageError when the data are neither under ``BENCH_DATA`` nor to be had.
    """
    images, labels, test_images, test_labels = _mosaics(root) if (root := _mosaic_folder()) else _archive()
    calibration, validation, train = stratified(labels, (500, 2_000), seed=0)

    def part(name: str, rows: Int64Array) -> Dataset:
        return dataset(f"cifar10/{name}", to_lattice(images[rows]), labels[rows])

    return Splits(
        part("train", np.sort(train)),
        part("validation", validation),
        part("calibration", calibration),
        dataset("cifar10/test", to_lattice(test_images), test_labels),
    )


def to_lattice(pixels: Images) -> Int8Array:
    """uint8 0..255 to int8 -128..127."""
    q: Int8Array = (pixels ^ np.uint8(0x80)).view(np.int8)
    return q


def _mosaic_folder() -> Path | None:
    root = bench_data()
    folder = root / "cifar10" if root else None
    return folder if folder and (folder / "labels.npz").exists() else None


def _mosaics(folder: Path) -> tuple[Images, Int64Array, Images, Int64Array]:
    """Each part is a 100 by 100 mosaic of 32 by 32 tiles, row by row, in the official order."""
    from PIL import Image

    def read(part: str) -> tuple[Images, Int64Array]:
        try:
            with Image.open(folder / f"{part}.webp") as picture:
                mosaic = np.asarray(picture.convert("RGB"))
            with np.load(folder / "labels.npz", allow_pickle=False) as labels:
                named = labels[f"{part}_y"].astype(np.int64)
            tiles = mosaic.reshape(100, 32, 100, 32, 3).swapaxes(1, 2)
        except (OSError, ValueError, KeyError) as err:
            raise UsageError(f"{folder / part}.webp: not a CIFAR-10 mosaic ({err})") from None
        return tiles.reshape(-1, 32, 32, 3), named

    parts = [read(f"train_{i}") for i in range(1, _TRAIN_PARTS + 1)]
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return images, labels, *read("test")


def _archive() -> tuple[Images, Int64Array, Images, Int64Array]:
    """The binary version: rows of one label byte and three 32 by 32 colour planes."""
    path = fetched(ARCHIVE)

    def read(archive: tarfile.TarFile, name: str) -> tuple[Images, Int64Array]:
        member = archive.extractfile(f"cifar-10-batches-bin/{name}.bin")
        raw = member.read(_PART_ROWS * _ROW_BYTES + 1) if member else b""
        if len(raw) != _PART_ROWS * _ROW_BYTES:
            raise UsageError(f"{path}: {name}.bin is not {_PART_ROWS} CIFAR-10 rows; delete the file and run again")
        rows = np.frombuffer(raw, np.uint8).reshape(-1, _ROW_BYTES)
        return rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), rows[:, 0].astype(np.int64)

    try:
        with tarfile.open(path) as archive:
            parts = [read(archive, f"data_batch_{i}") for i in range(1, _TRAIN_PARTS + 1)]
            test = read(archive, "test_batch")
    except (tarfile.TarError, KeyError, EOFError, OSError) as err:
        raise UsageError(f"{path}: not the CIFAR-10 archive ({err}); delete the file and run again") from None
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return images, labels, *test
