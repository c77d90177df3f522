"""MNIST (LeCun et al. 1998) and Fashion-MNIST (Xiao et al. 2017): 28x28 grey, q = pixel - 128."""

from __future__ import annotations

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.errors import UsageError
from tinyrobust.core.progress import Say, to_stderr
from tinyrobust.core.types import Dataset, Int64Array, TensorSpec
from tinyrobust.models.data.download import Source, fetched, own_copy
from tinyrobust.models.data.splits import Splits, dataset, divided, of_pixels, to_input_grid

SPEC = TensorSpec((28, 28, 1), 1 / 128, 0)
CLASS_NAMES = tuple("0123456789")
FASHION_NAMES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
_IMAGES, _LABELS = 0x803, 0x801
_SIDE, _CLASSES = 28, 10


@dataclass(frozen=True)
class Family:
    """The four files of one data set, as its authors publish them."""

    name: str
    train_images: Source
    train_labels: Source
    test_images: Source
    test_labels: Source


def _family(name: str, base: str, files: tuple[tuple[str, str, int], ...]) -> Family:
    return Family(
        name,
        *(Source(name, f"{base}/{file}-ubyte.gz", sha256, size) for file, sha256, size in files),
    )


MNIST = _family(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    (
        (
            "train-images-idx3",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            9_912_422,
        ),
        (
            "train-labels-idx1",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            28_881,
        ),
        (
            "t10k-images-idx3",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            1_648_877,
        ),
        (
            "t10k-labels-idx1",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            4_542,
        ),
    ),
)
FASHION = _family(
    "fashion_mnist",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    (
        (
            "train-images-idx3",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            26_421_880,
        ),
        (
            "train-labels-idx1",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            29_515,
        ),
        (
            "t10k-images-idx3",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            4_422_102,
        ),
        (
            "t10k-labels-idx1",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            5_148,
        ),
    ),
)


def splits(family: Family, say: Say = to_stderr) -> Splits:
    """Official 10,000 test images; of the others 500 calibrate, 6,000 validate, 53,500 train.

    Raises UsageError where a file cannot be had or is not what it should be.
    """
    images, labels = _pair(family, family.train_images, family.train_labels, 60_000, say)
    part = of_pixels(family.name, images, labels)
    return divided(part, labels, (500, 6_000), official_test(family, say))


def official_test(family: Family, say: Say = to_stderr) -> Dataset:
    """The official 10,000 test images alone."""
    images, labels = _pair(family, family.test_images, family.test_labels, 10_000, say)
    return dataset(f"{family.name}/test", to_input_grid(images), labels)


def _pair(
    family: Family, images: Source, labels: Source, n: int, say: Say
) -> tuple[NDArray[np.uint8], Int64Array]:
    pixels = _unpacked(_found(images, say), (_IMAGES, n, _SIDE, _SIDE))
    path = _found(labels, say)
    named = _unpacked(path, (_LABELS, n))
    if named.max() >= _CLASSES:
        raise UsageError(f"{path}: label {named.max()}; {family.name} has 0 to {_CLASSES - 1}")
    return pixels.reshape(n, _SIDE, _SIDE, 1), named.astype(np.int64)


def _found(source: Source, say: Say) -> Path:
    """A copy of one's own may be packed anew, so that only what is inside it can be checked."""
    return own_copy(source) or fetched(source, say)


def _unpacked(path: Path, header: tuple[int, ...]) -> NDArray[np.uint8]:
    """The bytes after the IDX ``header``, which is the magic number and the shape.

    Never reads more than there should be.
    """
    start = np.array(header, ">i4").tobytes()
    size = len(start) + math.prod(header[1:])
    try:
        with gzip.open(path) as stream:
            raw = stream.read(size + 1)
    except (OSError, EOFError, zlib.error) as err:
        raise UsageError(f"{path}: damaged ({err}); delete the file and run again") from None
    if len(raw) != size or not raw.startswith(start):
        raise UsageError(
            f"{path}: not an IDX file of shape {header[1:]}; delete the file and run again"
        )
    return np.frombuffer(raw, np.uint8, offset=len(start))
