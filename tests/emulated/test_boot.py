"""Each emulated board boots, says what it is, and never outlives the bench."""

import dataclasses
import os
import shutil
import signal
import time

import pytest

from tinyrobust.core.errors import LinkError, UsageError
from tinyrobust.host.boards.build import build
from tinyrobust.host.boards.emulator import Emulator
from tinyrobust.host.boards.table import EmulatorKind, get_board, load_boards
from tinyrobust.host.config.parts import Parts
from tinyrobust.host.devices.attach import attach
from tinyrobust.host.devices.flash import upload
from tinyrobust.host.link.pipes import FifoPort
from tinyrobust.host.setup.environment import BOARD_STEPS
from tinyrobust.host.setup.tools import checkout

pytestmark = pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None
    or not all(step.up_to_date(checkout()) for step in BOARD_STEPS),
    reason="needs qemu-system-arm and `make setup`",
)

PARTS = {"cortex-m7": 0xC27, "cortex-m4": 0xC24}
"""CPUID part numbers (Armv7-M ARM, B3.2.3)."""


@pytest.mark.parametrize(
    "name", [b.name for b in load_boards().values() if b.emulator is EmulatorKind.QEMU]
)
def test_boot(name):
    board = get_board(name)
    with attach(board, print) as device:
        info = device.hello()
    assert info.board == board.env
    assert info.cpuid >> 4 & 0xFFF == PARTS[board.cpu]
    assert info.pool_bytes >= 0.7 * board.ram_bytes
    assert 0 < info.stack_used < info.stack_bytes
    assert any(info.build_id)


def test_a_killed_emulator_is_one_line():
    board = get_board("qemu_an500")
    with Emulator(board, build(board).elf) as emulator:
        port = FifoPort(board.name, emulator.to_board, emulator.from_board, emulator.gone)
        os.kill(emulator.pid, signal.SIGKILL)
        os.waitid(os.P_PID, emulator.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(LinkError, match="SIGKILL"):
            port.read(1.0)
        port.close()


def test_nothing_is_left_behind():
    board = get_board("qemu_an500_uart")
    with Emulator(board, build(board).elf) as emulator:
        pid, room = emulator.pid, emulator.room
    assert not room.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_an_early_death_carries_qemus_words(tmp_path):
    board = get_board("qemu_an500")
    (tmp_path / "firmware.elf").write_bytes(b"no firmware")
    with Emulator(
        dataclasses.replace(board, machine="no-such-machine"), tmp_path / "firmware.elf"
    ) as emulator:
        deadline = time.monotonic() + 10
        while emulator.gone() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert "unsupported machine type" in (emulator.gone() or "")


def test_a_missing_emulator_names_its_package(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with (
        pytest.raises(UsageError, match="apt-get install qemu-system-arm"),
        Emulator(get_board("qemu_an500"), checkout()),
    ):
        pass


SIZES = {
    "nucleo_f746": (1 << 20, 320 << 10),
    "disco_l475": (1 << 20, 128 << 10),
    "nucleo_l4r5zi": (2 << 20, 640 << 10),
    "nucleo_h743zi": (2 << 20, 640 << 10),
}
"""Flash and RAM of the chips' data sheets: DS10916, DS10969, DS12023, DS12110 (of the H743, DTCM
and AXI SRAM).
"""


@pytest.mark.parametrize("name", [b.name for b in load_boards().values() if not b.emulated])
def test_real_boards_image_is_gated_on_its_own_memory(name, tmp_path):
    board = get_board(name)
    firmware = build(board)
    assert (board.flash_bytes, board.ram_bytes) == SIZES[name]
    assert 0 < firmware.flash_bytes < board.flash_bytes
    assert 0 < firmware.ram_bytes < board.ram_bytes
    plan = tmp_path / "plan.c"
    plan.write_text(
        "#include <stdint.h>\n"
        f"const uint32_t g_builtin_plan_size = {board.flash_bytes};\n"
        f"__attribute__((aligned(16))) const uint8_t g_builtin_plan[{board.flash_bytes}] = {{1}};\n"
    )
    with pytest.raises(UsageError, match=rf"{name} failed: .*overflowed by"):
        build(board, Parts(sources=(plan,)))


def test_flashing_an_emulator_is_refused():
    with pytest.raises(UsageError, match="not a real board"):
        upload(get_board("qemu_an500"))
