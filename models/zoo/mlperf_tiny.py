"""MLPerf Tiny's reference network for CIFAR-10, as published.

It is ResNet8 in int8, with its float baseline.

https://github.com/mlcommons/tiny (Apache-2.0). The int8 file was calibrated on 500 images of the
CIFAR-10 test set; they are left out of the test set here, as a figure on them would be a figure on
seen data.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.progress import Say
from tinyrobust.core.types import Dataset, Int64Array
from tinyrobust.models.data.cifar10 import CLASS_NAMES, official_test
from tinyrobust.models.data.download import Source, bench_data, found
from tinyrobust.models.data.splits import dataset
from tinyrobust.models.keras.files.load import load_float
from tinyrobust.models.plan import bundle
from tinyrobust.models.rungs.ladder import Ladder, tflm_rung
from tinyrobust.models.rungs.predictors import KerasPredictor
from tinyrobust.models.rungs.twin.predictor import TwinPredictor

_RAW = "https://raw.githubusercontent.com/mlcommons/tiny"
_TRAINED = f"{_RAW}/master/benchmark/training/image_classification/trained_models"
INT8 = Source(
    "mlperf_tiny",
    f"{_TRAINED}/pretrainedResnet_quant.tflite",
    "3c002613d1b2475eb51dd78dfb85a546c8ae658dee71cf6ade43b022fe205415",
    98_496,
)
FLOAT = Source(
    "mlperf_tiny",
    f"{_TRAINED}/pretrainedResnet.h5",
    "5f938a8eea605438cc7360aa13c987bc6d7bd0c8d931b2917361ae7ae4eeda2f",
    1_116_712,
)
CALIBRATION = Source(
    "mlperf_tiny",
    f"{_RAW}/606735fe98b82f7bb934b2e8ed0bae73d14753d2/v0.1/training/"
    "image_classification/calibration_samples_idxs.npy",
    "c619b84e9ea72c8d7a9208b6c38af541594ea002c0e19731d1af47397b96ce97",
    4_128,
)


def resnet8(cache: Path, say: Say) -> Ladder:
    """The ladder of the published network.

    Raises UsageError where its files are neither at hand nor to be had.
    """
    tflite = found(INT8, say).read_bytes()
    full = load_float(found(FLOAT, say))
    tflm, missing = tflm_rung(tflite, "mlperf-resnet8")
    built = bundle.build(tflite, cache, tflm.arena_bytes if tflm else None)
    return Ladder(
        "mlperf-resnet8",
        built,
        (
            KerasPredictor(full, "float32", built.input),
            TwinPredictor(built.tflite),
            *([tflm] if tflm else []),
        ),
        unseen(official_test(say), calibration_rows(say)),
        CLASS_NAMES,
        (("qat", "the published network was quantized after training"), *missing),
        (),
    )


def unseen(test: Dataset, calibration: Int64Array) -> Dataset:
    """``test`` without the rows in ``calibration``. Raises UsageError when one is not there."""
    if calibration.ndim != 1 or calibration.min() < 0 or calibration.max() >= len(test.q):
        raise UsageError(f"{CALIBRATION.file}: not rows of {test.name}")
    keep = np.setdiff1d(np.arange(len(test.q)), calibration)
    return dataset(
        f"{test.name} without MLPerf's calibration samples", test.q[keep], test.labels[keep]
    )


def calibration_rows(say: Say) -> Int64Array:
    """Rows of the CIFAR-10 test set that the published int8 network was calibrated on.

    int64 [500].
    """
    root = bench_data()
    renamed = root / "cifar10" / f"mlperf_{CALIBRATION.file}" if root else None
    path = renamed if renamed and renamed.is_file() else found(CALIBRATION, say)
    try:
        rows: Int64Array = np.load(path, allow_pickle=False).astype(np.int64)
    except (OSError, ValueError, EOFError) as err:
        raise UsageError(f"{path}: not an index of calibration samples ({err})") from None
    return rows
