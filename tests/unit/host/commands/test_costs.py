from dataclasses import replace

import numpy as np

from tests.support.boards.simulated import MemoryBoard
from tinyrobust.core.abi.wire import TickUnit
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.commands.costs import latency, memory

TICKS = np.arange(100, 201, dtype=np.int64) * 2160
INFO = replace(
    MemoryBoard().info(),
    clock_hz=216_000_000,
    tick_unit=TickUnit.CPU_CYCLES,
    stack_bytes=8192,
    stack_used=1000,
    plan_bytes=5000,
    arena_bytes=3000,
    scratch_bytes=200,
    max_frame=8192,
)


def test_a_real_board_has_cycles_and_milliseconds():
    assert latency(TICKS, INFO, False) == (
        "cycles: median 324,000, p5 226,800, p95 421,200; at 216 MHz median 1.500 ms, "
        "p5 1.050, p95 1.950 "
        "(101 inferences one at a time)"
    )


def test_emulated_boards_have_instructions_and_no_time():
    assert "median 324,000," in latency(TICKS, INFO, True)
    assert "median 202,500," in latency(TICKS, replace(INFO, tick_unit=TickUnit.CMSDK_TIMER), True)
    l475 = replace(INFO, tick_unit=TickUnit.SYSTICK, clock_hz=80_000_000)
    assert "median 63,281," in latency(TICKS, l475, True)
    assert "ms" not in latency(TICKS, l475, True)


def test_memory_adds_up():
    text = memory(INFO, get_board("nucleo_f746"), (41_000, 25_000))
    assert (
        "plan 5,000, arena 3,000, scratch 200, receive buffer 8,192, stack 1,000 used of 8,192"
        in text
    )
    assert "with static data 41,392 of 327,680; flash: 41,000 of 1,048,576 bytes" in text
    flashed = memory(replace(INFO, plan_in_ram=0), get_board("nucleo_f746"), None)
    assert "plan" not in flashed
    assert flashed.endswith("stack 1,000 used of 8,192 bytes")
