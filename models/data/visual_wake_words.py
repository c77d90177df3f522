"""Visual wake words as MLPerf Tiny packs them: COCO 2014, 96x96 RGB, q = pixel - 128.

Test is MLPerf Tiny's own accuracy set ``vww01``, by its list of 1,000 COCO numbers; nothing else
uses those images.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.errors import UsageError
from tinyrobust.core.progress import Say, to_stderr
from tinyrobust.core.types import Dataset, TensorSpec
from tinyrobust.models.data.download import Source, files, found
from tinyrobust.models.data.splits import Splits, dataset, divided, stratified, to_input_grid

CLASS_NAMES = ("no person", "person")
SPEC = TensorSpec((96, 96, 3), 1 / 128, 0)
_SIDE = 96
_LABEL = {"non_person": 0, "person": 1}
_JPEG = re.compile(r"(?:.*/)?(non_person|person)/[^/.]*?(\d{12})\.jpg")
_LARGEST_FILE = 1 << 20
_CALIBRATION = 500

Images = dict[int, tuple[int, bytes]]
"""Label and JPEG file by COCO number."""


@dataclass(frozen=True)
class Published:
    """The images and the list that MLPerf Tiny's benchmark is made of.

    Silicon Labs packs the images; MLCommons' list names those that the benchmark uses.
    """

    images: Source
    accuracy_set: Source


MLPERF_TINY = Published(
    images=Source(
        folder="vww",
        url="https://www.silabs.com/public/files/github/machine_learning/benchmarks/datasets/"
        "vw_coco2014_96.tar.gz",
        sha256="f8746b9e44f8a7a4293f73be9ba6e8da9239fe69798d42364aae62b915cfab58",
        size=234_810_765,
    ),
    accuracy_set=Source(
        folder="vww",
        url="https://raw.githubusercontent.com/mlcommons/tiny/"
        "1afd2c9820f795965a6134facd0b4dfae41ef23f/benchmark/evaluation/datasets/vww01/y_labels.csv",
        sha256="3697ca57c48b23b21602ae9bdb32b1925407a1d41d79167cdfb365054cb9c33d",
        size=21_000,
    ),
)


def splits(published: Published = MLPERF_TINY, say: Say = to_stderr) -> Splits:
    """1,000 test images; of the others a tenth for validation and 500 for calibration.

    All parts are balanced as the images are.

    About 3 GB of memory. Raises UsageError where a file cannot be had or is not what it should be.
    """
    images, wanted = _images(published, say), _accuracy_set(published, say)
    test = _part("test", wanted, images, published)
    others = sorted(images.keys() - set(wanted))
    labels = np.array([images[number][0] for number in others], np.int64)

    def part(kind: str, rows: NDArray[np.int64]) -> Dataset:
        say(f"vww: unpacking {len(rows)} images for {kind}")
        return _part(kind, [others[row] for row in rows], images, published)

    return divided(part, labels, (_CALIBRATION, len(others) // 10), test)


def official_test(published: Published = MLPERF_TINY, say: Say = to_stderr) -> Dataset:
    """MLPerf Tiny's 1,000 accuracy images alone, 500 of each class, shuffled once and for all."""
    return _part("test", _accuracy_set(published, say), _images(published, say), published)


def _accuracy_set(published: Published, say: Say) -> list[int]:
    """COCO numbers of the list, in an order of which the first N are balanced.

    Each class is spread evenly.
    """
    path = found(published.accuracy_set, say)
    try:
        with path.open(encoding="ascii", newline="") as file:
            rows = [
                (int(name.removesuffix(".bin")), int(label)) for name, _, label in csv.reader(file)
            ]
    except (OSError, ValueError) as err:
        raise UsageError(
            f"{path}: not lines of file,classes,label ({err}); delete the file and run again"
        ) from None
    (order,) = stratified(np.array([label for _, label in rows], np.int64), (), seed=0)
    return [rows[row][0] for row in order]


def _images(published: Published, say: Say) -> Images:
    path = found(published.images, say)
    images: Images = {}
    for name, content in files(path, _LARGEST_FILE):
        if match := _JPEG.fullmatch(name):
            number = int(match[2])
            if number in images:
                raise UsageError(f"{path}: {name}: COCO number {number} is in it twice")
            images[number] = (_LABEL[match[1]], content)
    return images


def _part(kind: str, numbers: list[int], images: Images, published: Published) -> Dataset:
    q = np.empty((len(numbers), _SIDE, _SIDE, 3), np.int8)
    for row, number in enumerate(numbers):
        if number not in images:
            raise UsageError(
                f"{published.images.file}: COCO image {number} of the {kind} set is not in it"
            )
        q[row] = to_input_grid(
            _pixels(images[number][1], f"{published.images.file}: COCO image {number}")
        )
    return dataset(f"vww/{kind}", q, np.array([images[number][0] for number in numbers], np.int64))


def _pixels(jpeg: bytes, where: str) -> NDArray[np.uint8]:
    """uint8 [96, 96, 3]; the size is looked at before the picture is unpacked."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as picture:
            if picture.size != (_SIDE, _SIDE):
                raise UsageError(
                    f"{where}: {picture.size[0]}x{picture.size[1]} pixels, not {_SIDE}x{_SIDE}"
                )
            return np.asarray(picture.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as err:
        raise UsageError(f"{where}: not a readable JPEG file ({err})") from None
