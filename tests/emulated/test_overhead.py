"""The engine around its kernels, counted instruction by instruction: a bound that a slower engine
breaks.
"""

import pytest

from tests.support.tflite.small import small_tflite
from tinyrobust.host.boards.build import build
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.perf.device.overhead import by_operator, overhead
from tinyrobust.host.setup.tools import ARM, STM32, missing, tools

MOST = 250
"""Instructions around a kernel; 90 to 200 were counted."""


@pytest.mark.slow
@pytest.mark.skipif(
    bool(missing(tools([ARM, STM32]))), reason="needs the Arm toolchain and QEMU 9.1"
)
def test_the_engine_adds_little_to_each_operator():
    board = get_board("qemu_an500")
    one = overhead(board, build(board).elf, small_tflite())
    assert [layer.name for layer in one.layers] == ["CONV_2D", "RESHAPE", "FULLY_CONNECTED"]
    assert all(50 < layer.engine < MOST for layer in one.layers)
    assert sum(layer.instructions for layer in one.layers) <= one.instructions
    assert one.engine < 1000


def test_a_trace_is_counted_from_operator_to_operator():
    symbols = [
        (0x100, 8, "engine::run("),
        (0x200, 4, "operators::find(unsigned short)"),
        (0x300, 6, "bool operators::f()"),
    ]
    at = (0x100, 0x200, 0x202, 0x300, 0x302, 0x106, 0x306, 0x200, 0x300)
    lines = b"".join(b"Trace 0: 0x7fab [00800408/%016x/00000010/ff020201] name\n" % pc for pc in at)
    assert by_operator(lines, symbols) == [5, 2]
