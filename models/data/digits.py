"""scikit-learn's 8x8 digits: what needs no download."""

from __future__ import annotations

import numpy as np

from tinyrobust.core.types import Dataset, Int64Array, TensorSpec
from tinyrobust.models.data.splits import Splits, dataset, stratified


def digits() -> Splits:
    """scikit-learn's 1,797 handwritten digits of 8x8 pixels, split.

    A pixel p of 0..16 becomes q = round(p * 255 / 16) - 128.

    Stratified by class: 500 test, 150 calibration, 150 validation, 997 train. The split is fixed.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    q = (np.floor(bunch.images * (255 / 16) + 0.5) - 128).astype(np.int8)[..., np.newaxis]
    labels = bunch.target.astype(np.int64)
    test, calibration, validation, train = stratified(labels, (500, 150, 150), seed=0)

    def part(name: str, rows: Int64Array) -> Dataset:
        return dataset(f"digits/{name}", q[rows], labels[rows])

    return Splits(
        part("train", train),
        part("validation", validation),
        part("calibration", calibration),
        part("test", test),
    )


CLASS_NAMES = tuple(str(i) for i in range(10))

SPEC = TensorSpec((8, 8, 1), 1 / 128, 0)
