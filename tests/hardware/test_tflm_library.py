"""TensorFlow Lite Micro itself as the engine: the oracle's bytes.

Needs TFLM_DIR, a tree that no package carries.
"""

import os

import numpy as np
import pytest

from tests.support.networks.oracle import tflm
from tests.support.tflite.small import SHAPE, small_tflite
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.commands.linked import linked_sources
from tinyrobust.host.config.parts import TFLM, Parts
from tinyrobust.host.devices.attach import attach
from tinyrobust.models.plan.bundle import build

pytestmark = pytest.mark.skipif(
    not os.environ.get("TFLM_DIR"), reason="TFLM_DIR names no tree of TensorFlow Lite Micro"
)


@pytest.mark.parametrize("name", ["native", "qemu_an500"])
def test_bytes_are_the_oracles(name, tmp_path):
    tflite = small_tflite(biased=True)
    bundle = build(tflite, tmp_path)
    parts = Parts(engine=TFLM, sources=linked_sources(bundle, TFLM))
    q = np.random.default_rng(8).integers(-128, 128, (20, *SHAPE), np.int8)
    with attach(get_board(name), print, parts=parts) as device:
        device.load(bundle, bundle.input)
        assert device.info.engine.startswith("TFLM")
        np.testing.assert_array_equal(device.predict(q).raw, tflm(tflite, q))
        for profile in device.profile(q[:2]):
            assert [op.name for op in profile] == ["CONV_2D", "RESHAPE", "FULLY_CONNECTED"]
