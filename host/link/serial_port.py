"""A serial line to a board, real or an emulator's: any pyserial URL."""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Callable
from pathlib import Path

import serial

from tinyrobust.core.abi.wire import FIRST_BAUD
from tinyrobust.core.errors import LinkError
from tinyrobust.host.link.ports import READ_BYTES, STALL_SECONDS

CONNECT_SECONDS = 60.0


class SerialPort:
    """Any pyserial URL, 8N1: ``/dev/ttyACM0``, ``socket://host:port``, ``rfc2217://...``."""

    def __init__(
        self, url: str, baud: int = FIRST_BAUD, gone: Callable[[], str | None] = lambda: None
    ) -> None:
        self.name = url
        self._gone = gone
        own = {} if "://" in url else {"exclusive": True}
        try:
            self._serial = serial.serial_for_url(
                url, baudrate=baud, timeout=0.0, write_timeout=STALL_SECONDS, **own
            )
        except (serial.SerialException, ValueError, OSError) as err:
            raise LinkError(f"{url}: {self._gone() or _why_not_open(url, err)}") from None

    def set_baud(self, baud: int) -> None:
        """Goes on at ``baud``, with nothing received before.

        Raises LinkError where the adapter cannot.
        """
        try:
            self._serial.flush()
            self._serial.baudrate = baud
            self._serial.reset_input_buffer()
        except (serial.SerialException, ValueError, OSError) as err:
            raise self._fail(err) from None

    def _fail(self, err: Exception) -> LinkError:
        return LinkError(f"{self.name}: {self._gone() or ' '.join(str(err).split())}")

    def read(self, timeout: float) -> bytes:
        """What has arrived; empty where no byte comes within ``timeout`` seconds."""
        try:
            self._serial.timeout = max(timeout, 0.0)
            data = bytearray(self._serial.read(1))
            while data and len(data) < READ_BYTES and (waiting := self._serial.in_waiting):
                data += self._serial.read(waiting)
        except (serial.SerialException, OSError) as err:
            raise self._fail(err) from None
        if not data and (why := self._gone()):
            raise LinkError(f"{self.name}: {why}")
        return bytes(data)

    def write(self, data: bytes) -> None:
        """Hands over all of ``data``; LinkError where the peer takes none for too long."""
        try:
            self._serial.write(data)
        except (serial.SerialException, OSError) as err:
            raise self._fail(err) from None

    def close(self) -> None:
        """Releases everything; safe to call twice."""
        with contextlib.suppress(serial.SerialException, OSError):
            self._serial.close()


def connect(
    url: str,
    gone: Callable[[], str | None],
    seconds: float = CONNECT_SECONDS,
    last_words: Callable[[], str] = str,
) -> SerialPort:
    """The TCP port of an emulator that may not listen yet.

    Raises LinkError once ``gone`` says why it ended, or after ``seconds``, with its ``last_words``.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return SerialPort(url, gone=gone)
        except LinkError:
            if why := gone():
                raise LinkError(f"{url}: {why}") from None
            if time.monotonic() > deadline:
                said = f"; the emulator's last words: {words}" if (words := last_words()) else ""
                why = f"nothing listens there after {seconds:.0f} s{said}"
                raise LinkError(f"{url}: {why}") from None
        time.sleep(0.1)


def _why_not_open(url: str, err: Exception) -> str:
    """What a failed ``open`` of a serial port means, and what to do."""
    code = getattr(err, "errno", None)
    if code in (errno.EACCES, errno.EPERM):
        group = _group(url)
        return (
            f"no permission: join the group {group} (sudo usermod -aG {group} $USER), "
            "then log in again"
        )
    # pyserial hands on the error number of open(), not that of the lock it takes after it.
    if code == errno.EBUSY or "exclusively lock" in str(err):
        return "is in use by another program (a terminal, another bench): close that"
    return " ".join(str(err).split())


def _group(url: str) -> str:
    """The group that a device belongs to; Debian's where nobody can tell."""
    try:
        return Path(url).group()
    except (OSError, KeyError, NotImplementedError):
        return "dialout"
