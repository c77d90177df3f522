"""Our keyword-spotting features against the 1,000 official ones.

``python -m tinyrobust.studies.mfcc_agreement SAMPLES`` compares them.

SAMPLES is the folder of raw recordings that MLPerf Tiny's runner once published beside its features
(``datasets/kws01-open/td_samples`` of github.com/eembc/energyrunner at commit 00bc6837): int16,
little endian, 16,000 samples a file. The features and the reference model come from ``BENCH_DATA``
(``kws01/``, ``mlperf_tiny/``).
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.models.data.download import bench_data
from tinyrobust.models.data.mfcc import FEATURES, RATE, mfcc, quantize
from tinyrobust.models.rungs.predictors import TflmPredictor
from tinyrobust.studies.pages import arguments, exit_code

_FRAME, _STRIDE, _BATCH = 480, 320, 100


def agreement(folder: Path) -> None:
    """Prints how many values differ, where, and what the reference model makes of it.

    Raises UsageError.
    """
    data = bench_data()
    if data is None:
        raise UsageError("BENCH_DATA is not set: the official features are in its folder kws01")
    with (data / "kws01/y_labels.csv").open() as file:
        rows = list(csv.reader(file))
    labels = np.array([int(row[2]) for row in rows])
    official = np.load(data / "kws01/kws01_mfcc_int8.npz")["x"][..., np.newaxis]
    if missing := [row[0] for row in rows if not (folder / row[0]).is_file()]:
        raise UsageError(
            f"{folder}: {missing[0]} is not in it, nor are {len(missing) - 1} others of {len(rows)}"
        )
    clips = np.stack([np.fromfile(folder / row[0], "<i2", RATE) for row in rows])

    features = np.concatenate(
        [mfcc(clips[at : at + _BATCH]) for at in range(0, len(clips), _BATCH)]
    )
    ours = quantize(features, FEATURES)
    difference = np.abs(ours.astype(int) - official)
    wrapped = difference > 128
    rest = np.where(wrapped, 0, difference)
    frames = np.lib.stride_tricks.sliding_window_view(clips, _FRAME, axis=1)[:, ::_STRIDE]
    silent = (frames == 0).all(axis=2)
    print(f"{difference.size} values, {np.count_nonzero(difference == 0)} equal")
    print(
        f"{wrapped.sum()} wrapped around in the official file, {wrapped.any(axis=(1, 2, 3)).sum()} "
        "recording"
    )
    print(
        f"{np.count_nonzero(rest[silent])} more differ in {silent.sum()} frames of zeros, by "
        f"{rest[silent].max()} level"
    )
    print(
        f"{np.count_nonzero(rest[~silent])} more differ elsewhere, by {rest[~silent].max()} level"
    )

    model = TflmPredictor((data / "mlperf_tiny/kws_ref_model.tflite").read_bytes(), "kws_ref_model")
    answers = [model.predict(q).logits.argmax(axis=1) for q in (official, ours)]
    right = [int((answer == labels).sum()) for answer in answers]
    print(f"reference model: {right[0]} right on the official features, {right[1]} on ours,")
    print(f"the same answer to {np.count_nonzero(answers[0] == answers[1])} of {len(labels)}")


def main() -> int:
    """The command."""
    parser = arguments("mfcc_agreement", __doc__)
    parser.add_argument("samples", type=Path, metavar="SAMPLES")
    samples: Path = parser.parse_args().samples

    def study() -> int:
        agreement(samples)
        return 0

    return exit_code(study)


if __name__ == "__main__":
    sys.exit(main())
