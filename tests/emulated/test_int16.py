"""Trained networks converted with int16 activations: twin, host build and emulated cores give
tflite-micro's bytes.
"""

import os
import shutil

import numpy as np
import pytest

from tinyrobust.host.boards.table import get_board
from tinyrobust.host.devices.attach import attach
from tinyrobust.models.export.converter import Activations, converted
from tinyrobust.models.plan.bundle import build
from tinyrobust.models.rungs.predictors import KerasPredictor, TflmPredictor, without_softmax
from tinyrobust.models.rungs.twin.predictor import TwinPredictor
from tinyrobust.models.training import weight_files
from tinyrobust.models.training.recipes import recipe

pytestmark = pytest.mark.skipif(
    not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
    reason="qemu-system-arm or arm-none-eabi-gcc is missing",
)
SAMPLES = 100
EMULATED = 25
"""Of them, on an emulated core, which takes a tenth of a second for one of resnet8."""


@pytest.fixture(scope="module", params=["digits-float", "resnet8-float"])
def network(request, tmp_path_factory):
    """(bundle, test data, the oracle's raw answers, the float network's predictions)."""
    if request.param == "resnet8-float" and "BENCH_DATA" not in os.environ:
        pytest.skip("BENCH_DATA, the folder with cifar10/, is not set")
    pytest.importorskip("tflite_micro", reason="there is no tflite-micro wheel for this platform")
    full = recipe(request.param).build()
    weight_files.load(request.param, full)
    full, task = without_softmax(full), recipe(request.param).task
    splits = task.splits()
    tflite = converted(full, task.spec, splits.calibration.q[:100], Activations.INT16)
    bundle = build(tflite, tmp_path_factory.mktemp("cache"), spec=task.spec)
    assert bundle.grid.dtype == bundle.output.dtype == "int16"
    q = splits.test.q[:SAMPLES]
    oracle = TflmPredictor(tflite, spec=task.spec)
    raw = oracle.predict(q).raw
    oracle.close()
    return (
        bundle,
        q,
        raw,
        KerasPredictor(full, "float32", task.spec).predict(q).logits.argmax(axis=1),
    )


def test_the_float_networks_predictions_survive(network):
    _, q, raw, predicted = network
    assert (raw.argmax(axis=1) == predicted).mean() >= 0.99
    assert len(np.unique(raw, axis=0)) == len(q), "answers that are all the same prove nothing"


def test_the_twin_gives_the_oracles_bytes(network):
    bundle, q, raw, _ = network
    np.testing.assert_array_equal(TwinPredictor(bundle.tflite, bundle.input).predict(q).raw, raw)


@pytest.mark.parametrize("name", ["native", "qemu_an500", "qemu_an386"])
def test_the_firmware_gives_the_oracles_bytes(network, name):
    bundle, q, raw, _ = network
    if name != "native":
        q, raw = q[:EMULATED], raw[:EMULATED]
    with attach(get_board(name), print) as board:
        board.load(bundle, bundle.input)
        answer = board.predict(q)
    assert answer.raw.dtype == np.int16
    np.testing.assert_array_equal(answer.raw, raw)
    np.testing.assert_array_equal(answer.logits, bundle.output.dequantize(raw))
