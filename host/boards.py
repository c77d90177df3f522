"""The boards: ``boards.toml`` as typed rows, and which of them are plugged in."""

from __future__ import annotations

import re
import sys
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any

from serial.tools import list_ports

from host.nearest import nearest
from host.plain import one_line
from host.types import LinkError, UsageError
from host.wire import TickUnit

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLE = Path(__file__).with_name("boards.toml")
USB_ID = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")


class PortKind(Enum):
    """How the host talks to a board."""

    CHILD = "child"
    """The firmware is a host process; its stdin and stdout."""
    FIFO = "fifo"
    """QEMU, semihosting on named FIFOs."""
    TCP = "tcp"
    """An emulator, the board's UART on a TCP port."""
    SERIAL = "serial"
    """A real board's virtual COM port."""


class EmulatorKind(Enum):
    """What emulates a board."""

    NONE = ""
    QEMU = "qemu"
    RENODE = "renode"


@dataclass(frozen=True)
class Board:
    """One row of ``boards.toml``. Sizes in bytes; empty or 0 where a board has no such thing."""

    name: str
    port: PortKind
    tick_unit: TickUnit
    """What its RESULTs must count: INFO is checked against it."""
    cpu: str
    emulated: bool
    """Ticks of emulated boards are never cycles."""
    env: str = ""
    """PlatformIO environment that builds its firmware, and the name by which that firmware answers HELLO."""
    emulator: EmulatorKind = EmulatorKind.NONE
    machine: str = ""
    """QEMU's name of the machine, or the Renode script of the checkout."""
    needs: str = ""
    """Group of host/tools.py that has to be there besides the compiler."""
    flash_bytes: int = 0
    ram_bytes: int = 0
    baud: int = 0
    """Bits per second that HELLO asks a real board's line for, once it has answered at ``wire.FIRST_BAUD``."""
    openocd: str = ""
    """OpenOCD's configuration of a real board."""
    pyocd: str = ""
    """PyOCD's name of its chip."""
    usb_ids: tuple[str, ...] = ()
    """``vid:pid`` in lower-case hex of its debug probe."""


def parse_board(name: str, row: dict[str, Any]) -> Board:
    """One table of ``boards.toml``. Raises UsageError on a missing, unknown or ill-typed key."""
    kinds: dict[str, Any] = {
        "port": PortKind,
        "emulator": EmulatorKind,
        "tick_unit": TickUnit.__getitem__,
        "usb_ids": tuple,
    }
    types = {"emulated": bool, "flash_bytes": int, "ram_bytes": int, "baud": int, "usb_ids": list}
    known = {f.name: f for f in fields(Board) if f.name != "name"}
    for key, value in row.items():
        if key not in known:
            raise UsageError(f"boards.toml [{name}]: unknown key {key!r}: known are {', '.join(known)}")
        if type(value) is not types.get(key, str):
            raise UsageError(f"boards.toml [{name}]: {key} = {value!r} is not a {types.get(key, str).__name__}")
    missing = [key for key, f in known.items() if f.default is MISSING and key not in row]
    if missing:
        raise UsageError(f"boards.toml [{name}]: {', '.join(missing)} missing")
    if bad := [i for i in row.get("usb_ids", []) if not isinstance(i, str) or not USB_ID.fullmatch(i)]:
        raise UsageError(f"boards.toml [{name}]: usb_ids {bad} are not of the form '0483:374b'")
    try:
        return Board(name=name, **{key: kinds.get(key, lambda v: v)(value) for key, value in row.items()})
    except (KeyError, ValueError) as err:
        raise UsageError(f"boards.toml [{name}]: {err}") from None


@lru_cache(maxsize=1)
def load_boards() -> dict[str, Board]:
    """Every board by name. Raises UsageError on a bad table."""
    try:
        with TABLE.open("rb") as file:
            rows = tomllib.load(file)
    except (OSError, ValueError, RecursionError) as err:
        raise UsageError(f"{TABLE}: {one_line(err)}") from None
    for name, row in rows.items():
        if not isinstance(row, dict):
            raise UsageError(f"boards.toml: {one_line(name)} is no table: a board is one")
    return {name: parse_board(name, row) for name, row in rows.items()}


def get_board(name: str, emulator: str = "") -> Board:
    """The board called ``name``, or the row that runs its very image in ``emulator`` (``qemu``, ``renode``).

    Raises UsageError that lists the known names.
    """
    boards = load_boards()
    if name in boards:
        return _emulated(boards[name], emulator) if emulator else boards[name]
    raise UsageError(f"unknown board {name!r}: {nearest(name, boards)}")


def _emulated(board: Board, emulator: str) -> Board:
    same = [row for row in load_boards().values() if row.env == board.env and row.emulator.value]
    for row in same:
        if row.emulator.value == emulator:
            return row
    offered = ", ".join(row.emulator.value for row in same) or "no emulator"
    raise UsageError(f"{board.name} is not emulated by {emulator!r}: {offered} runs its image")


@dataclass(frozen=True)
class Attached:
    """A serial port that belongs to a board's probe."""

    url: str
    serial_number: str


def attached(board: Board) -> list[Attached]:
    """Every port whose USB id is one of the board's, by serial number."""
    found = [
        Attached(port.device, port.serial_number or "")
        for port in list_ports.comports()
        if port.vid is not None and f"{port.vid:04x}:{port.pid:04x}" in board.usb_ids
    ]
    return sorted(found, key=lambda one: (one.serial_number, one.url))


def find_attached(board: Board, serial_number: str = "") -> Attached:
    """The one attached board (with ``serial_number``, where it is given). Raises LinkError on none or several."""
    found = [one for one in attached(board) if serial_number in ("", one.serial_number)]
    if len(found) == 1:
        return found[0]
    if not found:
        which = f" with serial number {serial_number}" if serial_number else ""
        raise LinkError(f"{board.name}: no probe ({', '.join(board.usb_ids)}){which} is attached: plug the board in")
    which = ", ".join(f"{one.serial_number or 'no number'} at {one.url}" for one in found)
    raise LinkError(
        f"{board.name}: {len(found)} probes of its kind are attached ({which}): name one by SERIAL=... or PORT=... "
        "(--serial, --port)"
    )


def probe_number(board: Board, serial_number: str, url: str) -> str:
    """Serial number of the probe to program: the one given, that of the port ``url``, or that of the only one.

    Empty where the probe has none. Raises LinkError as ``find_attached``.
    """
    if serial_number:
        return serial_number
    if url:
        return next((one.serial_number for one in attached(board) if one.url == url), "")
    return find_attached(board).serial_number
