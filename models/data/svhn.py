"""SVHN's cropped digits (Netzer and others 2011): 32x32 RGB house numbers, q = pixel - 128."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.errors import UsageError
from tinyrobust.core.progress import Say, to_stderr
from tinyrobust.core.types import Dataset, Int64Array, TensorSpec
from tinyrobust.models.data.download import Source, found
from tinyrobust.models.data.splits import Splits, dataset, divided, of_pixels, to_input_grid

CLASS_NAMES = tuple("0123456789")
SPEC = TensorSpec((32, 32, 3), 1 / 128, 0)
_SIDE, _CLASSES = 32, 10


@dataclass(frozen=True)
class Part:
    """One MATLAB file of SVHN's images and labels.

    It holds ``X`` uint8 [32, 32, 3, rows] and ``y`` [rows, 1], 1 to 10, where 10 is the digit 0.
    """

    source: Source
    rows: int


TRAIN = Part(
    Source(
        folder="svhn",
        url="http://ufldl.stanford.edu/housenumbers/train_32x32.mat",
        sha256="435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
        size=182_040_794,
    ),
    rows=73_257,
)
TEST = Part(
    Source(
        folder="svhn",
        url="http://ufldl.stanford.edu/housenumbers/test_32x32.mat",
        sha256="cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
        size=64_275_384,
    ),
    rows=26_032,
)


def splits(train: Part = TRAIN, test: Part = TEST, say: Say = to_stderr) -> Splits:
    """Official 26,032 test images; of the others 500 calibrate, 6,000 validate, 66,757 train.

    Classes are as unequal as in the data. Raises UsageError where a file cannot be had or is not
    what it should be.
    """
    images, labels = _read(train, say)
    part = of_pixels("svhn", images, labels)
    return divided(part, labels, (500, 6_000), official_test(test, say))


def official_test(test: Part = TEST, say: Say = to_stderr) -> Dataset:
    """The official 26,032 test images alone."""
    images, labels = _read(test, say)
    return dataset("svhn/test", to_input_grid(images), labels)


def _read(part: Part, say: Say) -> tuple[NDArray[np.uint8], Int64Array]:
    path = found(part.source, say)
    images, labels = _arrays(path, part.rows)
    if (
        images.dtype != np.uint8
        or labels.dtype.kind not in "iu"
        or labels.min() < 1
        or labels.max() > _CLASSES
    ):
        raise UsageError(
            f"{path}: not uint8 images with labels 1 to {_CLASSES}; delete the file and run again"
        )
    return np.ascontiguousarray(images.transpose(3, 0, 1, 2)), labels.reshape(-1).astype(
        np.int64
    ) % _CLASSES


def _arrays(path: Path, rows: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """``X`` and ``y``; their shapes are looked at before anything of their content is unpacked.

    Only ever given a file whose digest was right: SciPy's reader can be crashed by others.
    """
    from scipy.io import loadmat, whosmat
    from scipy.io.matlab import MatReadError

    expected = {"X": (_SIDE, _SIDE, 3, rows), "y": (rows, 1)}
    try:
        shapes = {name: shape for name, shape, _ in whosmat(path) if name in expected}
        if shapes != expected:
            raise UsageError(
                f"{path}: holds {shapes}, not {expected}; delete the file and run again"
            )
        file = loadmat(path, variable_names=list(expected))
    except (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        LookupError,
        NotImplementedError,
        zlib.error,
        MatReadError,
    ) as err:
        raise UsageError(
            f"{path}: not a readable .mat file ({err}); delete the file and run again"
        ) from None
    return file["X"], file["y"]
