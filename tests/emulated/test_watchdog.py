"""The watchdog of an STM32's image: started once, for its longest time, and refreshed by who waits
and by who works.

QEMU has no IWDG, but tells what is written where nothing is.
"""

import re
import time
from contextlib import ExitStack

import numpy as np
import pytest

from tests.support.networks.plans import Loadable
from tests.support.tflite.small import SHAPE, small_tflite
from tinyrobust.host.boards.build import build
from tinyrobust.host.boards.emulator import Emulator
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.serial_port import connect
from tinyrobust.host.setup.environment import BOARD_STEPS
from tinyrobust.host.setup.tools import STM32, checkout, found_version, tools
from tinyrobust.models.plan.compiler import compile_plan

pytestmark = pytest.mark.skipif(
    not all(found_version(tool) for tool in tools([STM32]))
    or not all(s.up_to_date(checkout()) for s in BOARD_STEPS),
    reason=f"needs `make setup` and {tools([STM32])[0].name}: {tools([STM32])[0].remedy}",
)

START = [(0x0, 0xCCCC), (0x0, 0x5555), (0x4, 6), (0x8, 0xFFF)]
REFRESH = (0x0, 0xAAAA)


def writes(log):
    found = re.findall(
        r"IWDG: unimplemented device write \(size 4, offset (0x\w+), value (0x\w+)\)",
        log.read_text(),
    )
    return [(int(offset, 16), int(value, 16)) for offset, value in found]


def test_it_is_started_and_refreshed_in_idleness_and_at_work(tmp_path):
    board = get_board("qemu_l475")
    plan = compile_plan(small_tflite())
    log = tmp_path / "log"
    with ExitStack() as stack:
        options = ("-d", "unimp", "-D", str(log))
        emulator = stack.enter_context(Emulator(board, build(board).elf, options=options))
        device = stack.enter_context(Device(connect(emulator.url, emulator.gone), "board", True))
        device.load(Loadable(plan.data, plan.plan_id))
        assert writes(log)[:4] == START
        assert set(writes(log)[4:]) == {REFRESH}
        before = len(writes(log))
        device.predict(np.zeros((20, *SHAPE), np.int8))
        working = len(writes(log))
        assert working >= before + 20
        time.sleep(2)
        assert len(writes(log)) > working
