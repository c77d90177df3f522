"""The MLPerf Tiny models on an emulated Cortex-M7, on their official inputs: every output byte as
tflite-micro's.
"""

import csv
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyrobust.host.boards.table import get_board
from tinyrobust.host.devices.attach import attach
from tinyrobust.models.data.splits import to_input_grid
from tinyrobust.models.plan.bundle import build
from tinyrobust.models.rungs.predictors import TflmPredictor

DATA = Path(os.environ.get("BENCH_DATA", ""))
TILE, TILES = 32, 100
pytestmark = [
    pytest.mark.skipif(
        "BENCH_DATA" not in os.environ,
        reason="BENCH_DATA, the folder with mlperf_tiny/, is not set",
    ),
    pytest.mark.skipif(
        not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
        reason="qemu-system-arm or arm-none-eabi-gcc is missing",
    ),
]


def image_samples():
    """The 200 samples of ic01 out of the CIFAR-10 test set, a mosaic of 100 x 100 tiles."""
    rows = np.load(DATA / "cifar10/mlperf_perf_samples_idxs.npy")
    mosaic = np.asarray(Image.open(DATA / "cifar10/test.webp").convert("RGB"))
    tiles = mosaic.reshape(TILES, TILE, TILES, TILE, 3).swapaxes(1, 2).reshape(-1, TILE, TILE, 3)
    return to_input_grid(tiles[rows]), np.load(DATA / "cifar10/labels.npz")["test_y"][rows]


def keyword_samples():
    """The 1,000 samples of kws01."""
    with (DATA / "kws01/y_labels.csv").open() as file:
        labels = [int(row[2]) for row in csv.reader(file)]
    return np.load(DATA / "kws01/kws01_mfcc_int8.npz")["x"][..., None], np.array(labels)


def random_samples(*shape):
    """Inputs without labels."""
    return np.random.default_rng(0).integers(-128, 128, shape, np.int8), None


@pytest.mark.parametrize("asked", [100, pytest.param(None, marks=pytest.mark.deep)])
@pytest.mark.parametrize(
    ("model", "samples", "right"),
    [
        ("pretrainedResnet_quant", image_samples, 175),
        ("kws_ref_model", keyword_samples, 901),
        ("vww_96_int8", lambda: random_samples(10, 96, 96, 3), None),
        ("ad01_int8", lambda: random_samples(450, 640), None),
    ],
)
def test_board_gives_the_oracles_bytes_on_official_inputs(model, samples, right, asked, tmp_path):
    """The board gets the first ``asked`` of those whose answers the oracle is known for."""
    q, labels = samples()
    tflite = (DATA / "mlperf_tiny" / f"{model}.tflite").read_bytes()
    bundle = build(tflite, tmp_path)
    oracle = TflmPredictor(tflite, model)
    q = q.reshape(len(q), *bundle.input.shape)
    expected = oracle.predict(q).raw
    with attach(get_board("qemu_an500"), print) as board:
        board.load(bundle, bundle.input)
        raw = board.predict(q[:asked]).raw
    np.testing.assert_array_equal(raw, expected[:asked])
    if labels is not None:
        assert (expected.argmax(axis=1) == labels).sum() == right
