"""A serial line in memory, no faster than a UART would be.

It carries the bytes of a program's stdin and stdout.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from types import TracebackType

from tinyrobust.host.link.ports import FdPort

BITS_PER_BYTE = 10
"""8N1: start bit, eight of data, stop bit."""
SLICE_SECONDS = 0.0005
"""Bytes are handed on in slices of this length, each when its last bit would have arrived."""
BUFFER_BYTES = 4096
"""What the sender's driver takes before its write blocks; Linux gives a tty as much."""


class Lane:
    """One direction of a line: from ``source`` to ``sink`` at ``rate`` bytes per second."""

    def __init__(self, source: int, sink: int, rate: float) -> None:
        self.carried = 0
        self._source, self._sink, self._rate = source, sink, rate
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        slice_bytes = max(1, round(self._rate * SLICE_SECONDS))
        free = 0.0  # when the line has sent what it was given
        with contextlib.suppress(OSError):
            while True:
                idle = not select.select([self._source], [], [], 0)[0]
                if not (data := os.read(self._source, slice_bytes)):
                    return
                if idle:  # else the line was busy all the while, and this thread is late
                    free = max(free, time.perf_counter())
                free += len(data) / self._rate
                time.sleep(max(free - time.perf_counter(), 0.0))
                while data:
                    n = os.write(self._sink, data)
                    self.carried += n
                    data = data[n:]

    def join(self) -> None:
        """Waits for the end of the source."""
        self._thread.join(2.0)


class PacedLine:
    """A program as a device at the far end of a full-duplex line of ``baud``.

    A context manager; ``argv`` starts the program, ``port`` is our end.
    """

    def __init__(self, argv: Sequence[str], baud: int) -> None:
        self.rate = baud / BITS_PER_BYTE
        self._child = subprocess.Popen(
            list(argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        ours, self._theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        tx = ours.detach()
        self.port = FdPort(f"{argv[0]} at {baud} baud", os.dup(tx), tx)
        self.to_device = Lane(self._theirs.fileno(), self._child.stdin.fileno(), self.rate)
        self.from_device = Lane(self._child.stdout.fileno(), self._theirs.fileno(), self.rate)

    def __enter__(self) -> PacedLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hangs up, and ends the device."""
        self.port.close()
        self.to_device.join()
        self._child.kill()
        self._child.wait()
        self.from_device.join()
        self._theirs.close()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
