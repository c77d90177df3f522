"""The image of a real board, unchanged, on QEMU's model of that board: USART, clock tree,
interrupts.
"""

import hashlib
import time

import numpy as np
import pytest

from tests.support.networks.oracle import tflm
from tests.support.networks.plans import Loadable
from tests.support.tflite.small import SHAPE, small_tflite
from tinyrobust.core.abi.wire import LOAD_CHUNK, Load, Loaded, TickUnit
from tinyrobust.host.boards.build import build
from tinyrobust.host.boards.emulator import Emulator
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.devices.attach import attach
from tinyrobust.host.link.frame import Deframer, encode
from tinyrobust.host.link.serial_port import connect
from tinyrobust.host.setup.environment import BOARD_STEPS
from tinyrobust.host.setup.tools import STM32, checkout, found_version, tools
from tinyrobust.models.plan.compiler import compile_plan

pytestmark = pytest.mark.skipif(
    not all(found_version(tool) for tool in tools([STM32]))
    or not all(s.up_to_date(checkout()) for s in BOARD_STEPS),
    reason=f"needs `make setup` and {tools([STM32])[0].name}: {tools([STM32])[0].remedy}",
)

WRAP_TICKS = 60
"""SysTick wraps every 2^24 ticks, and its handler takes about ten instructions of 5.12 ticks."""


def test_emulated_and_real_board_run_the_same_file():
    emulated, real = get_board("disco_l475", "qemu"), get_board("disco_l475")
    assert (emulated.name, emulated.env) == ("qemu_l475", real.env)
    firmware = build(real)
    assert build(emulated) == firmware
    with attach(emulated, print) as device:
        assert device.image == hashlib.sha256(firmware.elf.read_bytes()).hexdigest()
        assert device.info.build_id in firmware.elf.read_bytes()
        assert device.info.board == real.env


def test_it_says_one_line_of_text_and_the_link_is_clean_all_the_same():
    board = get_board("qemu_l475")
    with Emulator(board, build(board).elf) as emulator:
        port = connect(emulator.url, emulator.gone)
        said, end = b"", time.monotonic() + 30
        while said.count(b"\0") < 2 and time.monotonic() < end:
            said += port.read(1.0)
        port.close()
    assert said == b"\0\r\ntinyrobust disco_l475: 80 MHz from HSI16; 115200 baud\r\n\0"
    with attach(board, print) as device:
        device.hello()
        counters = device.link.counters
    assert (counters.damaged, counters.naks) == (0, 0)
    assert counters.bytes_received > len(said) * 2


def test_answers_are_the_oracles_and_instruction_counts_repeat():
    tflite = small_tflite()
    plan = compile_plan(tflite)
    q = np.random.default_rng(3).integers(-128, 128, (60, *SHAPE), np.int8)
    with attach(get_board("qemu_l475"), print) as device:
        device.load(Loadable(plan.data, plan.plan_id))
        prediction = device.predict(q)
        once, again = device.time(q), device.time(q)
        info = device.hello()
    assert (prediction.raw == tflm(tflite, q)).all()
    assert info.tick_unit == TickUnit.SYSTICK
    assert prediction.ticks.min() > 10_000
    assert np.ptp([once, again]) <= WRAP_TICKS
    assert 0 < info.stack_used < info.stack_bytes == 8192


@pytest.mark.slow
def test_digits_bytes_are_the_oracles(tmp_path):
    from tinyrobust.models.zoo.catalog import open_model

    ladder = open_model("digits-8bit", tmp_path, print)
    q = ladder.test.q[:200]
    with attach(get_board("disco_l475", "qemu"), print) as device:
        device.load(ladder.bundle, ladder.bundle.input)
        raw = device.predict(q).raw
        counts = device.time(q[:20])
    assert (raw == tflm(ladder.bundle.tflite, q)).all()
    assert np.ptp(counts) <= WRAP_TICKS


def test_more_than_the_ring_holds_is_not_lost():
    """Twelve frames of 4 KiB at once: the receive interrupt is masked while the ring is full, and
    the line waits.
    """
    chunk = bytes(range(256)) * (LOAD_CHUNK // 256)
    with attach(get_board("qemu_l475"), print) as device:
        assert device.info.rx_ring < 3 * LOAD_CHUNK
        for seq in range(1, 13):
            device.link.port.write(encode(seq, Load(2 * LOAD_CHUNK, 0), chunk))
        deframer, frames, end = Deframer(), [], time.monotonic() + 60
        while len(frames) < 12 and time.monotonic() < end:
            frames += deframer.feed(device.link.port.read(1.0))
    assert [(f.seq, f.body) for f in frames] == [
        (seq, Loaded(LOAD_CHUNK, 0)) for seq in range(1, 13)
    ]


def test_rate_is_raised_and_an_impossible_one_is_not():
    with attach(get_board("qemu_l475"), print) as device:
        assert device.hello().baud == 115_200
        assert device.hello(baud=2_000_000).baud == 2_000_000
        assert device.hello().baud == 2_000_000
        assert device.hello(baud=4_000_000).baud == 2_000_000
        assert device.info.max_baud == 2_000_000
        device.link.port.write(b"\5noise\0" * 20)  # what a host at another rate sounds like
        assert device.hello().baud == 115_200
