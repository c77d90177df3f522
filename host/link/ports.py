"""A byte pipe to a board, and the one over two file descriptors.

Nothing blocks forever.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from typing import Protocol

from tinyrobust.core.errors import LinkError

READ_BYTES = 1 << 16
INBOX_BYTES = 16 << 20
"""What a peer may send unasked while it does not read, before it counts as broken."""
STALL_SECONDS = 15.0
"""How long a peer may refuse to take bytes."""


class Port(Protocol):
    """A byte pipe. Every method raises LinkError, with one line, once the peer is gone."""

    def read(self, timeout: float) -> bytes:
        """What has arrived; empty where no byte comes within ``timeout`` seconds."""
        ...

    def write(self, data: bytes) -> None:
        """Hands over all of ``data``."""
        ...

    def close(self) -> None:
        """Releases everything; safe to call twice."""
        ...


class FdPort:
    """A port over two non-blocking file descriptors.

    While the peer does not take bytes, ``write`` keeps reading, so that two full pipes never wait
    for each other.
    """

    def __init__(self, name: str, rx: int, tx: int) -> None:
        self.name = name
        self._rx, self._tx = rx, tx
        self._inbox = bytearray()
        self._closed = False
        os.set_blocking(rx, False)
        os.set_blocking(tx, False)

    def gone(self) -> str | None:
        """Why the peer is gone, or None while it may still answer.

        Asked at the end of its stream and in silence.
        """
        return "closed the connection"

    def _fail(self, why: str) -> LinkError:
        return LinkError(f"{self.name}: {why}")

    def _pull(self) -> None:
        try:
            data = os.read(self._rx, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as err:
            raise self._fail(err.strerror or str(err)) from None
        if not data:
            why = self.gone()
            if why is not None:
                raise self._fail(why)
            time.sleep(0.005)  # a FIFO that its peer has not opened yet reads as ended
        self._inbox += data
        if len(self._inbox) > INBOX_BYTES:
            raise self._fail(f"sent more than {INBOX_BYTES >> 20} MiB that nobody asked for")

    def read(self, timeout: float) -> bytes:
        """What has arrived; empty where no byte comes within ``timeout`` seconds."""
        if not self._inbox and select.select([self._rx], [], [], max(timeout, 0.0))[0]:
            self._pull()
        out = bytes(self._inbox)
        self._inbox.clear()
        return out

    def write(self, data: bytes) -> None:
        """Hands over all of ``data``; LinkError where the peer takes none for too long."""
        left = memoryview(data)
        deadline = time.monotonic() + STALL_SECONDS
        while left:
            readable, writable, _ = select.select([self._rx], [self._tx], [], 0.25)
            if writable:
                try:
                    left = left[os.write(self._tx, left) :]
                    deadline = time.monotonic() + STALL_SECONDS
                except BlockingIOError:
                    pass
                except OSError as err:
                    raise self._fail(self.gone() or err.strerror or str(err)) from None
            if left and readable:
                self._pull()
            if time.monotonic() > deadline:
                raise self._fail(f"has not taken a byte for {STALL_SECONDS:.0f} s: reset the board")

    def close(self) -> None:
        """Releases everything; safe to call twice."""
        if not self._closed:
            self._closed = True
            for fd in {self._rx, self._tx}:
                with contextlib.suppress(OSError):
                    os.close(fd)
