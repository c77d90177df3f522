"""The MLPerf Tiny protocol on emulated boards: over the fast FIFO port, and over a UART as a real
board would.
"""

import shutil

import numpy as np
import pytest

from tests.support.boards.mlperf_tiny import plan_source
from tests.support.networks.oracle import tflm
from tests.support.tflite.small import SHAPE, small_tflite
from tinyrobust.core.types import TensorSpec
from tinyrobust.host.analysis.scores import nearest
from tinyrobust.host.boards.build import build
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.config.parts import MLPERF_TINY, Parts
from tinyrobust.host.devices.mlperf.attach import attach_mlperf
from tinyrobust.host.setup.environment import BOARD_STEPS
from tinyrobust.host.setup.tools import checkout

pytestmark = pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None
    or not all(step.up_to_date(checkout()) for step in BOARD_STEPS),
    reason="needs qemu-system-arm and `make setup`",
)


class Network:
    plan, plan_id = b"", ""
    input, output = TensorSpec(SHAPE, 1 / 128, 0), TensorSpec((10,), 1 / 4, 0)


@pytest.mark.parametrize("name", ["qemu_an500", "qemu_an500_uart"])
def test_scores_are_the_oracles_rounded(name, tmp_path):
    parts = Parts(MLPERF_TINY, sources=(plan_source(small_tflite(), tmp_path),))
    q = np.random.default_rng(6).integers(-128, 128, (5, *SHAPE), np.int8)
    with attach_mlperf(get_board(name), parts, "", "", print) as device:
        device.load(Network, Network.input, Network.output)
        answer = device.predict(q)
        again = device.predict(q[:1])
        facts = dict(device.identity.facts)
    assert (facts["board"], facts["benchmark"], facts["input_encoding"]) == (
        f"tinyrobust {name}",
        "custom",
        "int8",
    )
    real = tflm(small_tflite(), q).astype(np.float32) * np.float32(1 / 4)
    np.testing.assert_array_equal(nearest(answer.logits), nearest(real))
    assert (answer.ticks > 0).all()
    # Under -icount emulated time repeats, to the microsecond that the laps are rounded to.
    assert abs(int(again.ticks[0]) - int(answer.ticks[0])) <= 1


def test_the_real_boards_image_of_it_fits(tmp_path):
    board = get_board("nucleo_f746")
    firmware = build(board, Parts(MLPERF_TINY, sources=(plan_source(small_tflite(), tmp_path),)))
    assert 0 < firmware.flash_bytes < board.flash_bytes
    assert 0 < firmware.ram_bytes < board.ram_bytes
