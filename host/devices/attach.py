"""From a board's name to a Device that answers.

What is emulated is built and started, what is plugged in is found.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tinyrobust.core.progress import Say
from tinyrobust.host.boards.build import USUAL, build, newest_image
from tinyrobust.host.boards.emulator import Emulator, emulator_of
from tinyrobust.host.boards.probes import find_attached
from tinyrobust.host.boards.table import Board, EmulatorKind, PortKind
from tinyrobust.host.config.parts import Parts
from tinyrobust.host.devices.attached_board import AttachedBoard, check_board
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.pipes import ChildPort, FifoPort
from tinyrobust.host.link.ports import Port
from tinyrobust.host.link.serial_port import SerialPort, connect

NATIVE = "native"


@dataclass(frozen=True)
class Image:
    """A firmware's file; empty where a board runs what was flashed to it earlier."""

    sha256: str = ""
    flash_bytes: int = 0
    """What it takes when it is programmed; 0 for a process of this host."""


def attach(
    board: Board,
    say: Say,
    serial_number: str = "",
    url: str = "",
    parts: Parts = USUAL,
) -> Device:
    """An open Device for ``board`` that has said HELLO; it is a context manager.

    Emulated boards and ``native`` run the firmware of this checkout, built first of ``parts``; a
    real board runs what was flashed to it: the one at the serial port ``url``, or with the probe of
    ``serial_number``, or the only one. Raises UsageError on a missing tool, LinkError on a board
    that is not there or is not what was asked for.
    """
    if board.port is PortKind.SERIAL:
        return _attach_real(
            AttachedBoard(board, url, serial_number, say), newest_image(board, parts)
        )
    with ExitStack() as stack:
        port, pid, image = open_port(board, say, serial_number, stack, parts)
        rung = NATIVE if board.port is PortKind.CHILD else "board"
        device = Device(
            port, rung, board.emulated, stack.pop_all().close, pid, image.sha256, say=say
        )
        device.flash_bytes = image.flash_bytes
    try:
        check_board(board, device.hello())
    except BaseException:
        device.close()
        raise
    return device


def _attach_real(attached: AttachedBoard, elf: Path) -> Device:
    port = attached.open()
    attached = attached.bound_to(port.name)
    device = Device(port, recover=attached.recover, say=attached.say)
    try:
        device.image = attached.greet(device, elf).build_id.hex()
    except BaseException:
        device.close()
        raise
    return device


def open_port(
    board: Board,
    say: Say,
    serial_number: str,
    stack: ExitStack,
    parts: Parts = USUAL,
) -> tuple[Port, int, Image]:
    """The port, the process behind it (0: none of this host's) and the firmware that it runs."""
    if board.port is PortKind.SERIAL:
        return SerialPort(find_attached(board, serial_number).url), 0, Image()
    if board.emulator is not EmulatorKind.NONE:
        emulator_of(board)  # before the time that building takes
    say(f"building the firmware of {board.name}")
    firmware = build(board, parts)
    elf = firmware.elf
    image = Image(hashlib.sha256(elf.read_bytes()).hexdigest(), firmware.flash_bytes)
    if board.port is PortKind.CHILD:
        child = ChildPort([str(elf)])
        return child, child.pid, image
    emulator = stack.enter_context(Emulator(board, elf))
    if board.port is PortKind.FIFO:
        return (
            FifoPort(board.name, emulator.to_board, emulator.from_board, emulator.gone),
            emulator.pid,
            image,
        )
    port = connect(emulator.url, emulator.gone, last_words=emulator.last_words)
    return port, emulator.pid, image
