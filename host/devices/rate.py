"""The rate of a real board's line.

Every board starts at 115200 baud; HELLO raises it as far as the line bears.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tinyrobust.core.abi.wire import FIRST_BAUD, Info
from tinyrobust.core.errors import LinkError
from tinyrobust.core.progress import Say
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.requests import LostError, SilentError
from tinyrobust.host.link.serial_port import SerialPort

TRIES = 5
"""Losses of HELLO at a rate before the other side counts as deaf to it: damaged answers, where
bytes do come.
"""
SECONDS = 1.5
"""How long HELLO is repeated into a silence.

A board answers within 50 ms, and one that still works through what an earlier host had asked for
says so all the while.
"""
PREAMBLE = bytes(32)
"""Empty frames, which no board answers.

One that an earlier host left at a higher rate hears as many damaged bytes, twice what makes it fall
back, before HELLO comes.
"""


class NoAnswerError(LinkError):
    """HELLO was not answered: nothing came, or nothing that was a message."""


def meet(device: Device, port: SerialPort, baud: int, say: Say) -> Info:
    """The board's INFO, and its line at ``baud`` or what it bears of it.

    Raises NoAnswerError, or another LinkError.
    """
    port.set_baud(FIRST_BAUD)
    before = device.counters.bytes_received
    port.write(PREAMBLE)
    try:
        with _patience(device, SECONDS):
            info = device.hello(tries=TRIES)
    except (LostError, SilentError):
        heard = device.counters.bytes_received - before
        what = (
            f"{heard} bytes came, no message: other firmware, or another rate"
            if heard
            else "not a byte came"
        )
        raise NoAnswerError(
            f"{port.name}: no answer at {FIRST_BAUD} baud, {what}: "
            "flash the board (make flash) or press its reset button"
        ) from None
    if min(baud, info.max_baud) <= FIRST_BAUD:
        return info
    info = device.hello(baud)
    if info.baud == FIRST_BAUD:
        return info
    if info.baud != baud:
        raise LinkError(
            f"{port.name}: {baud} baud were asked for, the board goes on at {info.baud}: reset it"
        )
    port.set_baud(info.baud)
    try:
        return device.hello(tries=2)
    except LostError:
        say(f"{port.name}: the line does not carry {info.baud} baud: going on at {FIRST_BAUD}")
        port.set_baud(FIRST_BAUD)
        return device.hello(tries=2 * TRIES)


@contextmanager
def _patience(device: Device, seconds: float) -> Iterator[None]:
    """Gives ``device`` up after so many seconds of silence, for as long as this lasts.

    Silence is what has no intact frame in it.
    """
    link = device.link
    usual, link.silence = link.silence, seconds
    try:
        yield
    finally:
        link.silence = usual
