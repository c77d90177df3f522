"""From a board's name or a serial port to an MlperfDevice that has said its name."""

from __future__ import annotations

from contextlib import ExitStack

from tinyrobust.core.progress import Say
from tinyrobust.host.boards.table import Board, PortKind
from tinyrobust.host.config.parts import Parts
from tinyrobust.host.devices.attach import NATIVE, Image, open_port
from tinyrobust.host.devices.mlperf.device import BAUD, MlperfDevice
from tinyrobust.host.devices.mlperf.session import NAME_SECONDS
from tinyrobust.host.link.ports import Port
from tinyrobust.host.link.serial_port import SerialPort


def attach_mlperf(
    board: Board,
    parts: Parts,
    encoding: str,
    url: str,
    say: Say,
    serial_number: str = "",
) -> MlperfDevice:
    """An open device; close it (or use it as a context manager) when done.

    Emulated boards and ``native`` run this checkout's firmware of ``parts``. A real board runs
    whatever speaks the protocol at 115200 baud, at the pyserial URL ``url`` or, where that is
    empty, behind the probe of ``serial_number`` or the only one. Raises UsageError and LinkError as
    ``tinyrobust.host.devices.attach`` does.
    """
    rung = NATIVE if board.port is PortKind.CHILD else "board"
    image = Image()
    with ExitStack() as stack:
        if url:
            port: Port = SerialPort(url, BAUD)
        else:
            port, _, image = open_port(board, say, serial_number, stack, parts)
        device = MlperfDevice(
            port, rung, board.emulated, encoding, stack.pop_all().close, image.sha256
        )
    try:
        device.hello(NAME_SECONDS if board.port is PortKind.SERIAL else None)
    except BaseException:
        device.close()
        raise
    return device
