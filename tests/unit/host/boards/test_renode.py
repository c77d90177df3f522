"""What can be known of the Renode board without Renode: its files, its sizes, how it is started and
spoken to.
"""

import dataclasses
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.boards.native import native_firmware
from tests.support.networks.oracle import tflm
from tests.support.networks.plans import Loadable
from tests.support.paths import GOLDEN, ROOT, STM32, TESTS
from tests.support.tflite.small import SHAPE, small_tflite
from tinyrobust.core.errors import LinkError, UsageError
from tinyrobust.host.boards.emulator import Emulator
from tinyrobust.host.boards.last_words import KEPT_LINES, LastWords
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.serial_port import connect
from tinyrobust.models.plan.compiler import compile_plan

BOARD = get_board("nucleo_f746", "renode")
REPL = (ROOT / "renode" / "nucleo_f746.repl").read_text()
CHIP = (STM32 / "registers" / "f746.h").read_text() + (STM32 / "f746" / "f746.cc").read_text()


def entries():
    """Name -> (type, address, indented lines) of each entry of the platform description."""
    found = re.findall(
        r"^(\w+): ([\w.]+) @ sysbus ?<?(0x[0-9A-Fa-f]+)?.*\n((?:    .*\n?)*)", REPL, re.M
    )
    return {name: (kind, int(at or "0", 16), body) for name, kind, at, body in found}


def test_it_stands_alone():
    assert not re.search(r"\busing\b|://|ApplySVD", REPL)
    names = set(entries())
    for referred in re.findall(r"-> (\w+)@|^    (?:nvic|rtcPeripheral): (\w+)", REPL, re.M):
        assert set(filter(None, referred)) <= names


@pytest.mark.parametrize(("memory", "region"), [("flash", "FLASH"), ("ram", "RAM")])
def test_memories_are_the_linkers(memory, region):
    script = (ROOT / "firmware/platform/cortexm/ld/stm32f746zg.ld").read_text()
    origin, length = re.search(rf"{region}\b.*ORIGIN = (\w+), LENGTH = (\w+)", script).groups()
    unit = {"K": 1 << 10, "M": 1 << 20}[length[-1]]
    _, at, body = entries()[memory]
    assert (at, int(re.search("size: (0x[0-9A-F]+)", body)[1], 16)) == (
        int(origin, 16),
        int(length[:-1]) * unit,
    )
    assert int(length[:-1]) * unit == {"flash": BOARD.flash_bytes, "ram": BOARD.ram_bytes}[memory]


def test_peripherals_are_the_ports():
    for name in ("PWR_BASE", "GPIOD_BASE", "RCC_BASE", "FLASH_R_BASE", "IWDG_BASE"):
        at = int(re.search(rf"{name} = (0x[0-9A-F]+)", CHIP)[1], 16)
        assert at in {address for _, address, _ in entries().values()}, name
    usart = re.search(r"USART3_BASE = (0x[0-9A-F]+)", CHIP)[1]
    number = re.search(r"USART3_IRQn = (\d+)", CHIP)[1]
    kind, at, body = entries()["usart3"]
    assert (kind, at) == ("UART.STM32F7_USART", int(usart, 16))
    assert f"    IRQ -> nvic@{number}" in body


def test_the_robot_waits_for_what_info_begins_with():
    robot = (ROOT / "renode" / "nucleo_f746.robot").read_text()
    answer = (GOLDEN / "info.hex").read_text().splitlines()[1]
    assert answer.startswith(re.search(r"^\$\{INFO_HEADER\}\s+(\w+)$", robot, re.M)[1])


def test_ticks_are_instructions():
    clock = re.search(r"const Chip kChip = \{\s+(\d+),", CHIP)[1]
    assert f"frequency: {clock}" in entries()["dwt"][2]
    assert f"PerformanceInMips: {int(clock) // 1_000_000}\n" in entries()["cpu"][2]


def test_without_renode_one_line_says_where_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(
        UsageError, match="renode_f746: renode is missing: get Renode from its releases page"
    ):
        Emulator(BOARD, tmp_path).__enter__()


@pytest.fixture
def renode(monkeypatch, tmp_path):
    """A stand-in for Renode on the path, behind which our own firmware on the host answers."""
    firmware = native_firmware()
    program = tmp_path / "bin" / "renode"
    program.parent.mkdir()
    fake = [sys.executable, str(TESTS / "support" / "boards" / "renode.py"), firmware]
    program.write_text(f'#!/bin/sh\nexec {shlex.join(fake)} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return Path(firmware)


def test_it_is_started_spoken_to_and_ended(renode):
    tflite = small_tflite()
    plan = compile_plan(tflite)
    q = np.random.default_rng(5).integers(-128, 128, (20, *SHAPE), np.int8)
    with (
        Emulator(BOARD, renode) as emulator,
        Device(connect(emulator.url, emulator.gone)) as device,
    ):
        device.load(Loadable(plan.data, plan.plan_id))
        assert (device.predict(q).raw == tflm(tflite, q)).all()


def altered(tmp_path, old, new):
    """The board with one line of its files changed."""
    room = tmp_path / "renode"
    shutil.copytree(ROOT / "renode", room)
    (path,) = (path for path in room.iterdir() if old in path.read_text())
    path.write_text(path.read_text().replace(old, new))
    return dataclasses.replace(BOARD, machine=str(room / "nucleo_f746.resc"))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            "    IRQ -> nvic@39",
            "    -> nvic@39",
            r"E15: Ambiguous .*\[IRQ, ReceiveDmaRequest\].*nucleo_f746.repl:\d+",
        ),
        (
            "Memory.ArrayMemory",
            "Memory.MappedMemory",
            "E39: .*'pwrControl'.* aligned to guest page size",
        ),
        ("UART.STM32F7_USART", "UART.STM32F9_USART", "E04: Could not resolve type"),
        ("IRQ -> nvic@39", "RxIRQ -> nvic@39", "E13: Property 'RxIRQ' does not exist"),
        ('SetGlobalQuantum "0.000001"', "SetGlobalQuantity 1", "No such command or device"),
        ("Connect sysbus.usart3", "Connect sysbus.usart9", "Could not find usart9"),
    ],
)
def test_what_renode_refuses_is_one_line_at_once(renode, tmp_path, old, new, why):
    with (
        Emulator(altered(tmp_path, old, new), renode) as emulator,
        pytest.raises(LinkError, match=f"the emulator refused the board: .*{why}") as caught,
    ):
        connect(emulator.url, emulator.gone)
    assert "\n" not in str(caught.value)


def test_the_end_of_its_stdin_ends_it(renode):
    """As it does where the bench is killed: nobody is left to keep the pipe open."""
    with Emulator(BOARD, renode) as emulator:
        emulator._process.stdin.close()
        assert emulator._process.wait(10) == 0
        assert emulator.gone().startswith("the emulator ended with status 0")
        with pytest.raises(LinkError, match="the emulator ended with status 0"):
            connect(emulator.url, emulator.gone)


def test_silence_ends_with_its_last_words():
    """At port 9, the discard service's, nobody listens."""
    why = "nothing listens there after 0 s; the emulator's last words: out of memory$"
    with pytest.raises(LinkError, match=why):
        connect("socket://127.0.0.1:9", lambda: None, 0.0, lambda: "out of memory")


def test_last_words_are_few_and_harmless():
    """A flooded log neither blocks Renode nor fills memory, and steers no terminal."""
    read, write = os.pipe()
    words = LastWords(os.fdopen(read, "rb"))
    with os.fdopen(write, "wb") as pipe:
        pipe.write(b"x" * 500_000 + b"\n")
        for number in range(2000):
            pipe.write(b"\x1b[31mwarning\x1b]0;title\x07 %d\r\n\n" % number)
    words.ended()
    last = range(2000 - KEPT_LINES, 2000)
    assert words.lines() == [f"warning]0;title {number}" for number in last]


def test_a_cycle_counter_that_advances_within_a_layer():
    """Renode's DWT counts whole quanta, 100 us by default: short layers take none."""
    script = (ROOT / "renode" / "nucleo_f746.resc").read_text()
    quantum = float(re.search(r'^emulation SetGlobalQuantum "([\d.]+)"$', script, re.M)[1])
    clock = int(re.search(r"const Chip kChip = \{\s+(\d+),", CHIP)[1])
    assert quantum * clock <= 216
    assert script.index("SetGlobalQuantum") < script.index("\nstart")
