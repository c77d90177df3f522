"""What can be known of the Renode board without Renode: its files, its sizes, how it is started and spoken to."""

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from host.boards import get_board
from host.device import Device
from host.emulator import Emulator
from host.ports import connect
from host.types import UsageError
from models.plan import compile_plan
from tests.native import native_firmware
from tests.oracle import tflm
from tests.small_model import SHAPE, small_tflite
from tests.unit.test_device import SmallPlan

ROOT = Path(__file__).resolve().parents[2]
BOARD = get_board("nucleo_f746", "renode")
REPL = (ROOT / "renode" / "nucleo_f746.repl").read_text()
SOURCES = ROOT / "firmware" / "src"
CHIP = (SOURCES / "registers" / "f746.h").read_text() + (SOURCES / "port_stm32_f746.cc").read_text()

RENODE = """#!{python}
import os, re, socket, subprocess, sys, time
time.sleep(0.5)
assert sys.argv[1:4] == ["--disable-xwt", "--console", "--plain"], sys.argv
elf, port, script = re.fullmatch(r"\\$elf=@(.*); \\$port=(\\d+); include @(.*)", sys.argv[5]).groups()
assert open(elf, "rb").read(4) == b"\\x7fELF" and os.path.isfile(script)
line = socket.create_server(("127.0.0.1", int(port))).accept()[0]
subprocess.run([{firmware!r}], stdin=line, stdout=line)
"""


def entries():
    """Name -> (type, address, indented lines) of each entry of the platform description."""
    found = re.findall(r"^(\w+): ([\w.]+) @ sysbus ?<?(0x[0-9A-Fa-f]+)?.*\n((?:    .*\n?)*)", REPL, re.M)
    return {name: (kind, int(at or "0", 16), body) for name, kind, at, body in found}


def test_it_stands_alone():
    assert not re.search(r"\busing\b|://|ApplySVD", REPL)
    names = set(entries())
    for referred in re.findall(r"-> (\w+)@|^    (?:nvic|rtcPeripheral): (\w+)", REPL, re.M):
        assert set(filter(None, referred)) <= names


@pytest.mark.parametrize(("memory", "region"), [("flash", "FLASH"), ("ram", "RAM")])
def test_memories_are_the_linkers(memory, region):
    script = (ROOT / "firmware/platform/tinyrobust/ld/stm32f746zg.ld").read_text()
    origin, length = re.search(rf"{region}\b.*ORIGIN = (\w+), LENGTH = (\w+)", script).groups()
    unit = {"K": 1 << 10, "M": 1 << 20}[length[-1]]
    _, at, body = entries()[memory]
    assert (at, int(re.search("size: (0x[0-9A-F]+)", body)[1], 16)) == (int(origin, 16), int(length[:-1]) * unit)
    assert int(length[:-1]) * unit == {"flash": BOARD.flash_bytes, "ram": BOARD.ram_bytes}[memory]


def test_peripherals_are_the_ports():
    for name in ("PWR_BASE", "GPIOD_BASE", "RCC_BASE", "FLASH_R_BASE", "IWDG_BASE"):
        at = int(re.search(rf"{name} = (0x[0-9A-F]+)", CHIP)[1], 16)
        assert at in {address for _, address, _ in entries().values()}, name
    usart = re.search(r"USART3_BASE = (0x[0-9A-F]+)", CHIP)[1]
    number = re.search(r"USART3_IRQn = (\d+)", CHIP)[1]
    kind, at, body = entries()["usart3"]
    assert (kind, at) == ("UART.STM32F7_USART", int(usart, 16))
    assert f"-> nvic@{number}" in body


def test_the_robot_waits_for_what_info_begins_with():
    robot = (ROOT / "renode" / "nucleo_f746.robot").read_text()
    answer = (ROOT / "tests" / "golden" / "info.hex").read_text().splitlines()[1]
    assert answer.startswith(re.search(r"^\$\{INFO_HEADER\}\s+(\w+)$", robot, re.M)[1])


def test_ticks_are_instructions():
    clock = re.search(r"const Chip kChip = \{\s+(\d+),", CHIP)[1]
    assert f"frequency: {clock}" in entries()["dwt"][2]
    assert f"PerformanceInMips: {int(clock) // 1_000_000}\n" in entries()["cpu"][2]


def test_without_renode_one_line_says_where_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UsageError, match="renode_f746: renode is missing: get Renode from its releases page"):
        Emulator(BOARD, tmp_path).__enter__()


def test_it_is_started_spoken_to_and_ended(monkeypatch, tmp_path):
    """A stand-in for Renode: it takes the same command line, and our own firmware on the host answers at its port."""
    firmware = Path(native_firmware())
    renode = tmp_path / "renode"
    renode.write_text(RENODE.format(python=sys.executable, firmware=str(firmware)))
    renode.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    tflite = small_tflite()
    plan = compile_plan(tflite)
    q = np.random.default_rng(5).integers(-128, 128, (20, *SHAPE), np.int8)
    with Emulator(BOARD, firmware) as emulator, Device(connect(emulator.url, emulator.gone)) as device:
        device.load(SmallPlan(plan.data, plan.plan_id))
        assert (device.predict(q).raw == tflm(tflite, q)).all()
