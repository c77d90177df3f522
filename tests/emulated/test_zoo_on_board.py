"""Every network of the zoo on the emulated Cortex-M7: every output byte as tflite-micro's."""

import shutil

import pytest

from tinyrobust.core.cache import cache_folder
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.devices.attach import attach
from tinyrobust.models.data.download import bench_data
from tinyrobust.models.rungs import oracle, parity
from tinyrobust.models.zoo import on_board
from tinyrobust.models.zoo.catalog import ENTRIES, open_model
from tinyrobust.studies.board_agreement import BOARD, agreement

SAMPLES, FEW = 4, 2
LARGE = ("coffee", "mlperf", "mobilenet", "resnet8", "s3")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
        reason="qemu-system-arm or arm-none-eabi-gcc is missing",
    ),
    pytest.mark.skipif(oracle.unavailable() is not None, reason=str(oracle.unavailable())),
]


@pytest.fixture(scope="module")
def board():
    with attach(get_board(BOARD), print) as device:
        yield device


def test_the_cards_tell_of_no_difference():
    rows = on_board.read()
    assert rows, "make them with: python -m tinyrobust.studies.board_agreement"
    assert set(rows) <= set(ENTRIES), "a row of a network that is gone"
    assert {
        name for name, row in rows.items() if row.equal != row.compared or row.board != BOARD
    } == set()


QUICK = (
    "digits-8bit",
    "digits-int16x8",
    "digits-ptq",
    "digits-ternary-jr",
    "resnet8-8bit",
    "s3-ternary-jr",
)
"""One of each kind; opening all of them, `make test-deep`, takes a quarter of an hour."""

GATED = 40
"""Samples of each part that the export of a large network is held to while it is opened; with all
of them (`make test-deep`) that takes a minute and a half.
"""


@pytest.mark.parametrize("name", QUICK)
def test_the_board_gives_tflite_micros_bytes(name, board, monkeypatch):
    if name.startswith(LARGE):
        whole = parity.compare
        monkeypatch.setattr(parity, "compare", lambda *given: whole(*given[:-1], given[-1][:GATED]))
    check(name, board)


@pytest.mark.deep
@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_the_board_gives_tflite_micros_bytes_of_an_export_that_all_data_check(name, board):
    check(name, board)


def check(name, board):
    if (
        name.startswith(("mlperf", "resnet8", "s3"))
        and "untrained" not in name
        and bench_data() is None
    ):
        pytest.skip("BENCH_DATA is unset: CIFAR-10 is not here")
    ladder = open_model(name, cache_folder(), print)
    made = agreement(ladder, board, BOARD, FEW if name.startswith(LARGE) else SAMPLES)
    ladder.close()
    assert made.equal == made.compared > 0
