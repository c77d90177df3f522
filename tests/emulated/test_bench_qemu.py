"""The bench on emulated boards: the oracle's bytes on every port, and an emulator killed in the
middle of a run.
"""

import os
import shutil
import signal
from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.support.tflite.small import SHAPE, small_tflite
from tinyrobust.core.errors import LinkError
from tinyrobust.core.types import Dataset
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.config.bench import Config
from tinyrobust.host.devices.attach import attach
from tinyrobust.host.runs.execute import execute
from tinyrobust.models.plan.bundle import Bundle, build
from tinyrobust.models.rungs.predictors import TflmPredictor

pytestmark = pytest.mark.skipif(
    not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
    reason="qemu-system-arm or arm-none-eabi-gcc is missing",
)
SAMPLES = 120


@dataclass(frozen=True)
class OneModel:
    """A ladder with the oracle alone above the board."""

    bundle: Bundle
    rungs: tuple
    test: Dataset
    name: str = "small"
    class_names: tuple = ()
    unavailable: tuple = ()
    notes: tuple = ()
    digest: str = ""


@pytest.fixture(scope="module")
def ladder(tmp_path_factory):
    pytest.importorskip("tflite_micro", reason="there is no tflite-micro wheel for this platform")
    tflite = small_tflite()
    rng = np.random.default_rng(1)
    data = Dataset(
        "noise",
        rng.integers(-128, 128, (SAMPLES, *SHAPE), np.int8),
        rng.integers(0, 10, SAMPLES),
        "00",
    )
    return OneModel(
        build(tflite, tmp_path_factory.mktemp("cache")), (TflmPredictor(tflite, "small"),), data
    )


def bench(board, ladder, tmp_path, tick=lambda *_: None, device=None):
    config = Config(board=board, attacks=("clean", "noise"), eps=(8 / 255,), out=tmp_path / "runs")
    device = device or attach(get_board(board), print)
    with device:
        return execute(config, ladder, device, tmp_path / "cache", print, tick)


def essence(outcome):
    """What must not depend on the port: every record of the board, without its counts."""
    rows = pq.read_table(outcome.path / "records.parquet").to_pylist()
    assert len(rows) == 2 * 2 * SAMPLES
    return {
        (r["rung"], r["attack"], r["sample"]): (r["raw"], r["input_crc"], r["predicted"])
        for r in rows
    }


@pytest.mark.parametrize("board", ["qemu_an500", "qemu_an386"])
def test_board_gives_the_oracles_bytes(board, ladder, tmp_path):
    records = essence(bench(board, ladder, tmp_path))
    assert len(records) == 2 * 2 * SAMPLES
    for (rung, attack, sample), answer in records.items():
        assert answer == records[("tflm" if rung == "board" else "board", attack, sample)]


def test_uart_and_fifo_give_the_same_records(ladder, tmp_path):
    assert essence(bench("qemu_an500_uart", ladder, tmp_path)) == essence(
        bench("qemu_an500", ladder, tmp_path)
    )


def test_killed_emulator_is_one_line_and_the_run_resumes(ladder, tmp_path):
    device = attach(get_board("qemu_an500"), print)

    def kill(what, made, total):
        if made > 3 * SAMPLES:
            os.kill(device.pid, signal.SIGKILL)

    with pytest.raises(LinkError, match="the emulator was killed by SIGKILL"):
        bench("qemu_an500", ladder, tmp_path, kill, device)
    outcome = bench("qemu_an500", ladder, tmp_path)
    assert 0 < outcome.made < SAMPLES
    assert essence(outcome) == essence(bench("qemu_an500", ladder, tmp_path / "whole"))
