"""Flashing through OpenOCD, st-flash and pyOCD: programs of their names that write down how they
were called.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.boards.attached import F746_INFO, Board, FakeDesk
from tinyrobust.core.errors import LinkError, UsageError
from tinyrobust.host.boards import programmer
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.devices import flash
from tinyrobust.host.devices.attached_board import AttachedBoard
from tinyrobust.host.devices.flash import confirm, refuse_another

NUCLEO = get_board("nucleo_f746")


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """Makes a program that logs its arguments, says something and ends with a status; no other
    programmer is there.
    """
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    real = shutil.which
    hidden = {"openocd", "st-flash", "pyocd"}
    monkeypatch.setattr(
        shutil, "which", lambda name: real(name, path=str(tmp_path) if name in hidden else None)
    )

    def make(name, said="", status=0):
        program = tmp_path / name
        program.write_text(
            f"#!/bin/sh\necho {name} \"$@\" >> {tmp_path}/log\necho '{said}' >&2\nexit {status}\n"
        )
        program.chmod(0o755)

    make("arm-none-eabi-objcopy")
    make.log = lambda: (tmp_path / "log").read_text()
    return make


@pytest.mark.parametrize(
    ("name", "flashed", "restarted"),
    [
        (
            "openocd",
            "openocd -f board/st_nucleo_f7.cfg -c adapter serial 066B -c program "
            "{/x/firmware.elf} verify reset exit",
            "openocd -f board/st_nucleo_f7.cfg -c adapter serial 066B -c init; reset run; exit",
        ),
        (
            "st-flash",
            "st-flash --serial 066B --format ihex --reset write",
            "st-flash --serial 066B reset",
        ),
        (
            "pyocd",
            "pyocd flash --target stm32f746zgtx --uid 066B /x/firmware.elf",
            "pyocd reset --target stm32f746zgtx --uid 066B",
        ),
    ],
)
def test_whichever_is_there_is_called(tool, name, flashed, restarted):
    tool(name)
    programmer.program(NUCLEO, Path("/x/firmware.elf"), "066B")
    assert flashed in tool.log()
    assert programmer.restart(NUCLEO, "066B")
    assert restarted in tool.log()


def test_none_is_one_line(tool, tmp_path):
    with pytest.raises(UsageError, match="apt-get install openocd"):
        programmer.program(NUCLEO, tmp_path, "")
    assert not programmer.restart(NUCLEO, "")


@pytest.mark.parametrize(
    ("name", "said", "complaint"),
    [
        (
            "openocd",
            "Error: open failed",
            "flashing nucleo_f746: no st-link answers: plug the board in",
        ),
        ("st-flash", "Couldnt find any ST-Link devices", "no st-link answers"),
        ("pyocd", "No connected debug probes", "no st-link answers"),
        ("openocd", "Error: checksum mismatch", "with openocd failed: Error: checksum mismatch"),
    ],
)
def test_what_fails_is_one_line(tool, tmp_path, name, said, complaint):
    tool(name, said, 1)
    with pytest.raises(LinkError, match=re.escape(complaint)):
        programmer.program(NUCLEO, tmp_path / "firmware.elf", "")


def test_the_probe_that_does_not_answer_is_named(tool, tmp_path):
    tool("openocd", "Error: open failed", 1)
    with pytest.raises(LinkError, match="no st-link with serial number 066B answers"):
        programmer.program(NUCLEO, tmp_path / "firmware.elf", "066B")


@pytest.mark.parametrize("name", ["openocd", "st-flash", "pyocd"])
@pytest.mark.parametrize("number", ["066B; shutdown", "[exec id]", "x" * 65, "$a"])
def test_a_serial_number_is_never_run_as_a_script(tool, tmp_path, name, number):
    tool(name)
    with pytest.raises(UsageError, match="letters, digits"):
        programmer.program(NUCLEO, tmp_path / "firmware.elf", number)
    assert not programmer.restart(NUCLEO, number)
    assert not (tmp_path / "log").exists()


def test_the_board_confirms_the_image(tmp_path, monkeypatch):
    with FakeDesk(Board(**F746_INFO), tmp_path / "tty") as fake:
        desk = AttachedBoard(NUCLEO, fake.url, "", print)
        monkeypatch.setattr(flash, "build_id", lambda elf: b"\2" * 20)
        confirm(desk, tmp_path)
        monkeypatch.setattr(flash, "build_id", lambda elf: b"\3" * 20)
        with pytest.raises(
            LinkError, match="runs image 020202020202, not the 030303030303 just flashed"
        ):
            confirm(desk, tmp_path)


def test_flash_programs_and_asks_the_board(tool, tmp_path, monkeypatch):
    tool("st-flash")
    monkeypatch.setattr(
        flash, "build", lambda board, parts: flash.Firmware(tmp_path / "f.elf", 41_000, 25_000)
    )
    monkeypatch.setattr(flash, "build_id", lambda elf: b"\2" * 20)
    said = []
    with FakeDesk(Board(**F746_INFO), tmp_path / "tty") as fake:
        flash.upload(NUCLEO, url=fake.url, say=said.append)
    assert "arm-none-eabi-objcopy -O ihex" in tool.log()
    assert "st-flash --format ihex --reset write" in tool.log()
    assert said == [
        "nucleo_f746: 41000 of 1048576 bytes of flash, 25000 of 327680 of static RAM",
        "nucleo_f746 runs the image just built",
    ]


def test_a_board_of_another_kind_is_not_flashed(tmp_path):
    with FakeDesk(Board(**{**F746_INFO, "board": "disco_l475"}), tmp_path / "tty") as fake:
        with pytest.raises(LinkError, match="attached is a disco_l475, not a nucleo_f746"):
            refuse_another(AttachedBoard(NUCLEO, fake.url, "", print))
        fake.hung = True
        refuse_another(AttachedBoard(NUCLEO, fake.url, "", print))


@pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc is missing"
)
def test_the_build_id_is_the_linkers(tmp_path):
    elf = tmp_path / "a.elf"
    link = ["arm-none-eabi-gcc", "-nostdlib", "-Wl,-e,0", "-x", "c", "/dev/null", "-o", str(elf)]
    subprocess.run([*link, "-Wl,--build-id=0x" + "5a" * 20], check=True)
    assert flash.build_id(elf) == b"\x5a" * 20
    subprocess.run([*link, "-Wl,--build-id=none"], check=True)
    with pytest.raises(UsageError, match="no build id"):
        flash.build_id(elf)
