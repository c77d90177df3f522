"""The rate of a real board's line: every board starts at 115200 baud, HELLO raises it as far as the line bears."""

from __future__ import annotations

from collections.abc import Callable

from host.device import Device
from host.link import LostError
from host.ports import SerialPort
from host.types import LinkError
from host.wire import FIRST_BAUD, Info

TRIES = 5
"""HELLOs at a rate before the other side counts as deaf to it. A board that an earlier host left at a higher rate needs
one or two of them to notice and to fall back."""


def meet(device: Device, port: SerialPort, baud: int, say: Callable[[str], None]) -> Info:
    """The board's INFO, and its line at ``baud`` or what it bears of it. Raises LinkError where none answers."""
    port.set_baud(FIRST_BAUD)
    before = device.counters.bytes_received
    try:
        info = device.hello(tries=TRIES)
    except LostError:
        heard = device.counters.bytes_received - before
        what = f"{heard} bytes came, no message: other firmware, or another rate" if heard else "not a byte came"
        raise LinkError(
            f"{port.name}: no answer at {FIRST_BAUD} baud, {what}: "
            "flash the board (make flash) or press its reset button"
        ) from None
    if min(baud, info.max_baud) <= FIRST_BAUD:
        return info
    info = device.hello(baud)
    if info.baud == FIRST_BAUD:
        return info
    if info.baud != baud:
        raise LinkError(f"{port.name}: {baud} baud were asked for, the board goes on at {info.baud}: reset it")
    port.set_baud(info.baud)
    try:
        return device.hello(tries=2)
    except LostError:
        say(f"{port.name}: the line does not carry {info.baud} baud: going on at {FIRST_BAUD}")
        port.set_baud(FIRST_BAUD)
        return device.hello(tries=2 * TRIES)
