"""The boards: ``boards.toml`` as typed rows."""

from __future__ import annotations

import re
import sys
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any

from tinyrobust.core.abi.wire import TickUnit
from tinyrobust.core.errors import UsageError, nearest
from tinyrobust.core.plain import one_line

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
    """PlatformIO environment that builds its firmware, and the name by which that firmware answers
    HELLO.
    """
    emulator: EmulatorKind = EmulatorKind.NONE
    machine: str = ""
    """QEMU's name of the machine, or the Renode script of the checkout."""
    needs: str = ""
    """Group of host/setup/tools.py that has to be there besides the compiler."""
    flash_bytes: int = 0
    ram_bytes: int = 0
    baud: int = 0
    """Bits per second that HELLO asks a real board's line for, once it has answered at
    ``wire.FIRST_BAUD``.
    """
    openocd: str = ""
    """OpenOCD's configuration of a real board."""
    pyocd: str = ""
    """PyOCD's name of its chip."""
    probe: str = ""
    """Kind of its debug probe: a key of the table ``probes``."""
    usb_ids: tuple[str, ...] = ()
    """That probe's ``vid:pid``, each in lower-case hex."""


def parse_probes(table: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """The table ``probes``: USB ids by kind of probe.

    Raises UsageError on what is no list of them.
    """
    for kind, ids in table.items():
        right = isinstance(ids, list)
        if not right or not all(isinstance(i, str) and USB_ID.fullmatch(i) for i in ids):
            raise UsageError(
                "boards.toml [probes]: "
                f"{kind} = {ids!r} is not a list of ids of the form '0483:374b'"
            )
    return {kind: tuple(ids) for kind, ids in table.items()}


def parse_board(name: str, row: dict[str, Any], probes: dict[str, tuple[str, ...]]) -> Board:
    """One table of ``boards.toml``. Raises UsageError on a missing, unknown or ill-typed key."""
    kinds: dict[str, Any] = {
        "port": PortKind,
        "emulator": EmulatorKind,
        "tick_unit": TickUnit.__getitem__,
    }
    types = {"emulated": bool, "flash_bytes": int, "ram_bytes": int, "baud": int}
    known = {f.name: f for f in fields(Board) if f.name not in ("name", "usb_ids")}
    for key, value in row.items():
        if key not in known:
            raise UsageError(
                f"boards.toml [{name}]: unknown key {key!r}: known are {', '.join(known)}"
            )
        if type(value) is not types.get(key, str):
            raise UsageError(
                f"boards.toml [{name}]: {key} = {value!r} is not a {types.get(key, str).__name__}"
            )
    missing = [key for key, f in known.items() if f.default is MISSING and key not in row]
    if missing:
        raise UsageError(f"boards.toml [{name}]: {', '.join(missing)} missing")
    probe = row.get("probe", "")
    if probe and probe not in probes:
        raise UsageError(
            f"boards.toml [{name}]: unknown probe {probe!r}: known are {', '.join(probes)}"
        )
    try:
        typed = {key: kinds[key](value) if key in kinds else value for key, value in row.items()}
    except (KeyError, ValueError) as err:
        raise UsageError(f"boards.toml [{name}]: {err}") from None
    return Board(name=name, usb_ids=probes.get(probe, ()), **typed)


@lru_cache(maxsize=1)
def load_boards() -> dict[str, Board]:
    """Every board by name. Raises UsageError on a bad table."""
    try:
        with TABLE.open("rb") as file:
            tables = tomllib.load(file)
    except (OSError, ValueError, RecursionError) as err:
        raise UsageError(f"{TABLE}: {one_line(err)}") from None
    for name, row in tables.items():
        if not isinstance(row, dict):
            raise UsageError(f"boards.toml: {one_line(name)} is no table: a board is one")
    probes = parse_probes(tables.pop("probes", {}))
    return {name: parse_board(name, row, probes) for name, row in tables.items()}


def get_board(name: str, emulator: str = "") -> Board:
    """The board called ``name``, or the row that runs its very image in ``emulator``.

    An emulator is ``qemu`` or ``renode``.

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
