"""A network, or a whole image, onto a board that is there."""

from __future__ import annotations

from pathlib import Path

from tinyrobust.core.errors import LinkError, UsageError
from tinyrobust.core.progress import Say
from tinyrobust.host.boards.bringup.symbols import build_id
from tinyrobust.host.boards.build import USUAL, Firmware, build
from tinyrobust.host.boards.probes import probe_to_program
from tinyrobust.host.boards.programmer import program
from tinyrobust.host.boards.table import Board
from tinyrobust.host.config.parts import TINYROBUST, Parts
from tinyrobust.host.devices.attached_board import AttachedBoard
from tinyrobust.host.devices.device import Device


def upload(
    board: Board,
    parts: Parts = USUAL,
    serial_number: str = "",
    url: str = "",
    say: Say = print,
) -> Firmware:
    """Builds, programs the attached board and asks the board whether it runs that very image.

    The probe is that of ``serial_number``, or of the serial port ``url``, or the only one. Raises
    UsageError without a programmer, LinkError where no probe or no board answers.
    """
    if board.emulated:
        raise UsageError(
            f"{board.name} is not a real board: there is nothing to flash, `make bench` starts it"
        )
    firmware = build(board, parts)
    number = probe_to_program(board, serial_number, url)
    refuse_another(AttachedBoard(board, url, number, say))
    program(board, firmware.elf, number)
    flash, ram = board.flash_bytes, board.ram_bytes
    say(
        f"{board.name}: {firmware.flash_bytes} of {flash} bytes of flash, "
        f"{firmware.ram_bytes} of {ram} of static RAM"
    )
    if parts.protocol == TINYROBUST:
        confirm(AttachedBoard(board, url, number, say), firmware.elf)
        say(f"{board.name} runs the image just built")
    return firmware


def refuse_another(attached: AttachedBoard) -> None:
    """Raises LinkError where a board of another kind answers.

    Probes look alike, and not every programmer checks.

    A board that does not answer, or runs other firmware, is no reason not to flash it.
    """
    try:
        with Device(attached.open()) as device:
            other = device.hello(tries=2).board
    except LinkError:
        return
    if other != attached.board.env:
        raise LinkError(
            f"the board that is attached is a {other}, not a {attached.board.name}: name that, "
            "or another port"
        )


def confirm(attached: AttachedBoard, elf: Path) -> None:
    """Raises LinkError unless the board says in INFO that it runs ``elf``."""
    with Device(attached.open()) as device:
        info = attached.greet(device, elf, fresh=True)
    if info.build_id != build_id(elf):
        raise LinkError(
            f"{attached.board.name} runs image {info.build_id.hex()[:12]}, not the "
            f"{build_id(elf).hex()[:12]} just flashed: is it the board whose probe was programmed?"
        )
