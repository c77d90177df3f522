"""MNIST (LeCun et al. 1998) and Fashion-MNIST (Xiao et al. 2017): 28x28 grey, q = pixel - 128."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from host.types import Dataset, Int64Array, TensorSpec, UsageError
from models.data import Splits, dataset, stratified
from models.data_cifar10 import to_lattice
from models.download import Source, bench_data, fetched

SPEC = TensorSpec((28, 28, 1), 1 / 128, 0)
_IMAGE_HEADER, _LABEL_HEADER = 16, 8
_SIDE = 28


@dataclass(frozen=True)
class Family:
    """The four files of one data set, as its authors publish them."""

    name: str
    train_images: Source
    train_labels: Source
    test_images: Source
    test_labels: Source


def _family(name: str, base: str, files: tuple[tuple[str, str, int], ...]) -> Family:
    return Family(name, *(Source(f"{base}/{file}-ubyte.gz", "md5", digest, size) for file, digest, size in files))


MNIST = _family(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    (
        ("train-images-idx3", "f68b3c2dcbeaaa9fbdd348bbdeb94873", 9_912_422),
        ("train-labels-idx1", "d53e105ee54ea40749a09fcbcd1e9432", 28_881),
        ("t10k-images-idx3", "9fb629c4189551a2d022fa330f9573f3", 1_648_877),
        ("t10k-labels-idx1", "ec29112dd5afa0611ce80d1b7f02629c", 4_542),
    ),
)
FASHION = _family(
    "fashion_mnist",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    (
        ("train-images-idx3", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
        ("train-labels-idx1", "25c81989df183df01b3e8a0aad5dffbe", 29_515),
        ("t10k-images-idx3", "bef4ecab320f06d8554ea6380940ec79", 4_422_102),
        ("t10k-labels-idx1", "bb300cfdad3c16e7a12a480ee83cd310", 5_148),
    ),
)


def splits(family: Family) -> Splits:
    """Official 10,000 test images; 500 calibration and 6,000 validation images out of the 60,000 others.

    Raises UsageError where a file cannot be had or is not what it should be.
    """
    images, labels = _pair(family, family.train_images, family.train_labels, 60_000)
    calibration, validation, train = stratified(labels, (500, 6_000), seed=0)

    def part(name: str, rows: Int64Array) -> Dataset:
        return dataset(f"{family.name}/{name}", to_lattice(images[rows]), labels[rows])

    return Splits(
        part("train", np.sort(train)),
        part("validation", validation),
        part("calibration", calibration),
        official_test(family),
    )


def official_test(family: Family) -> Dataset:
    """The official 10,000 test images alone."""
    images, labels = _pair(family, family.test_images, family.test_labels, 10_000)
    return dataset(f"{family.name}/test", to_lattice(images), labels)


def _pair(family: Family, images: Source, labels: Source, n: int) -> tuple[NDArray[np.uint8], Int64Array]:
    pixels = _unpacked(_found(family, images), _IMAGE_HEADER, n * _SIDE * _SIDE)
    named = _unpacked(_found(family, labels), _LABEL_HEADER, n)
    return pixels.reshape(n, _SIDE, _SIDE, 1), named.astype(np.int64)


def _found(family: Family, source: Source) -> Path:
    root = bench_data()
    local = root / family.name / source.file if root else None
    return local if local and local.exists() else fetched(source)


def _unpacked(path: Path, header: int, size: int) -> NDArray[np.uint8]:
    """The bytes after an IDX header; never reads more than there should be."""
    try:
        with gzip.open(path) as stream:
            raw = stream.read(header + size + 1)
    except (OSError, EOFError, zlib.error) as err:
        raise UsageError(f"{path}: damaged ({err}); delete the file and run again") from None
    if len(raw) != header + size:
        raise UsageError(f"{path}: not the {size} values it should hold; delete the file and run again")
    return np.frombuffer(raw, np.uint8, offset=header)
