"""Which debug probes are plugged in: each brings the serial port of the board behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

from tinyrobust.core.errors import LinkError
from tinyrobust.host.boards.table import Board

SERIAL_NUMBER = re.compile(r"[\w.:-]{1,64}", re.ASCII)
"""What a probe may say of itself and still be named on a programmer's command line."""


@dataclass(frozen=True)
class Attached:
    """A serial port that belongs to a board's probe."""

    url: str
    serial_number: str
    """Empty where the probe has none, or one that is no word."""


def attached(board: Board) -> list[Attached]:
    """Every port whose USB id is one of the board's, by serial number."""
    found = [
        Attached(
            port.device,
            port.serial_number if SERIAL_NUMBER.fullmatch(port.serial_number or "") else "",
        )
        for port in list_ports.comports()
        if port.vid is not None and f"{port.vid:04x}:{port.pid:04x}" in board.usb_ids
    ]
    return sorted(found, key=lambda one: (one.serial_number, one.url))


def find_attached(board: Board, serial_number: str = "") -> Attached:
    """The one attached board (with ``serial_number``, where it is given).

    Raises LinkError on none or several.
    """
    found = [one for one in attached(board) if serial_number in ("", one.serial_number)]
    if len(found) == 1:
        return found[0]
    if not found:
        which = f" with serial number {serial_number}" if serial_number else ""
        raise LinkError(
            f"{board.name}: no {board.probe} ({', '.join(board.usb_ids)}){which} is attached: "
            "plug the board in"
        )
    raise LinkError(
        f"{board.name}: {len(found)} probes of its kind are attached ({_listed(found)}): name one "
        "by SERIAL=... or PORT=... (--serial, --port)"
    )


def probe_at(board: Board, url: str) -> Attached | None:
    """The probe whose serial port is ``url``, or a link to it; None where no probe's is."""
    return next((one for one in attached(board) if _same(one.url, url)), None)


def probe_to_program(board: Board, serial_number: str, url: str) -> str:
    """Serial number of the probe that programs the board.

    It is the one given, that of the port ``url``, or of the only one.

    Empty where the probe has none, or where ``url`` is no probe's port and no probe shows one.
    Raises LinkError where ``url`` is the port of another probe than the one given, and as
    ``find_attached`` where several are possible.
    """
    at_port = probe_at(board, url) if url else None
    if serial_number:
        if at_port and at_port.serial_number != serial_number:
            raise LinkError(
                f"{board.name}: {url} belongs to the probe "
                f"{at_port.serial_number or 'without a number'}, not to {serial_number}: "
                "give one of the two"
            )
        return serial_number
    if at_port:
        if not at_port.serial_number and len(attached(board)) > 1:
            raise LinkError(
                f"{board.name}: the probe of {url} has no serial number to tell it from the "
                "others: unplug those"
            )
        return at_port.serial_number
    if url and not attached(board):
        return ""
    return find_attached(board).serial_number


def _listed(found: list[Attached]) -> str:
    return ", ".join(f"{one.serial_number or 'no number'} at {one.url}" for one in found)


def _same(device: str, url: str) -> bool:
    """Whether two names are of one port; /dev/serial/by-id/... and udev's own names are links."""
    return device == url or ("://" not in url and Path(device).resolve() == Path(url).resolve())
