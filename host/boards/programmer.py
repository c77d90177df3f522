"""Programs and restarts a real board through OpenOCD, st-flash or pyOCD."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyrobust.core.errors import LinkError, UsageError
from tinyrobust.host.boards.probes import SERIAL_NUMBER
from tinyrobust.host.boards.table import Board

GONE = re.compile(
    r"open failed|no device found|unable to open|init mode failed|LIBUSB_ERROR|"
    r"couldn.?t find any|no connected debug|"
    r"no available debug|failed to connect|in probe initiali[sz]ation|unknown chip id",
    re.I,
)
"""What the three say where no probe, or no chip behind it, answers."""
SECONDS = 180.0


@dataclass(frozen=True)
class Programmer:
    """A programmer, by the name of its program."""

    program: str

    def flash(self, board: Board, elf: Path, serial_number: str, room: Path) -> list[list[str]]:
        """The commands that write ``elf``, verify it and start it.

        ``room`` is a folder for what lies between.
        """
        if self.program == "openocd":
            return [[*openocd(board, serial_number), "-c", f"program {{{elf}}} verify reset exit"]]
        if self.program == "pyocd":
            return [["pyocd", "flash", *self._pyocd(board, serial_number), str(elf)]]
        image = room / "firmware.hex"
        return [
            ["arm-none-eabi-objcopy", "-O", "ihex", str(elf), str(image)],
            [
                "st-flash",
                *_named("--serial", serial_number),
                "--format",
                "ihex",
                "--reset",
                "write",
                str(image),
            ],
        ]

    def restart(self, board: Board, serial_number: str) -> list[str]:
        """The command that resets the chip and lets it run."""
        if self.program == "openocd":
            return [*openocd(board, serial_number), "-c", "init; reset run; exit"]
        if self.program == "pyocd":
            return ["pyocd", "reset", *self._pyocd(board, serial_number)]
        return ["st-flash", *_named("--serial", serial_number), "reset"]

    def _pyocd(self, board: Board, serial_number: str) -> list[str]:
        return ["--target", board.pyocd, *_named("--uid", serial_number)]


def openocd(board: Board, serial_number: str) -> list[str]:
    """OpenOCD for the chip of ``board``, through the probe of ``serial_number`` if given."""
    named = _named("adapter serial", serial_number)
    return ["openocd", "-f", board.openocd, *(["-c", " ".join(named)] if named else [])]


def _named(option: str, serial_number: str) -> list[str]:
    """The option that names the probe.

    Raises UsageError on what is no word: OpenOCD would run it as a script.
    """
    if serial_number and not SERIAL_NUMBER.fullmatch(serial_number):
        raise UsageError(
            f"serial number {serial_number!r}: letters, digits, '.', ':', '-' and '_', 64 at most"
        )
    return [option, serial_number] if serial_number else []


PROGRAMMERS = tuple(Programmer(program) for program in ("openocd", "st-flash", "pyocd"))


def installed() -> Programmer:
    """The first that is there. Raises UsageError where none is."""
    for programmer in PROGRAMMERS:
        if shutil.which(programmer.program):
            return programmer
    raise UsageError(
        "no programmer on this machine: apt-get install openocd (stlink-tools and pyocd do as well)"
    )


def program(board: Board, elf: Path, serial_number: str) -> None:
    """Writes ``elf`` to the board's flash.

    Raises UsageError without a programmer, LinkError where it fails.
    """
    programmer = installed()
    with tempfile.TemporaryDirectory(prefix="tinyrobust-") as room:
        for command in programmer.flash(board, elf, serial_number, Path(room)):
            if said := _run(command):
                if GONE.search(said):
                    which = f" with serial number {serial_number}" if serial_number else ""
                    raise LinkError(
                        f"flashing {board.name}: no {board.probe}{which} answers: plug the board in"
                    )
                raise LinkError(
                    f"flashing {board.name} with {programmer.program} failed: {_last(said)}"
                )


def restart(board: Board, serial_number: str) -> bool:
    """Resets the board by its probe; whether that worked."""
    try:
        return not _run(installed().restart(board, serial_number))
    except UsageError:
        return False


def _run(command: Sequence[str]) -> str:
    """What a failed command said; empty where it did its work."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no end within {SECONDS:.0f} s"
    return (
        "" if done.returncode == 0 else (done.stdout + done.stderr) or f"status {done.returncode}"
    )


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"error|fail", line, re.I)]
    return (telling or lines)[-1][:300]
