"""A board on a pseudo-terminal that misbehaves on purpose.

At another rate than its own it hears noise.
"""

import os
import pty
import select
import termios
import threading
import tty

from tests.support.boards.simulated import MemoryBoard
from tinyrobust.core.abi.wire import FIRST_BAUD, Hello, TickUnit

SPEEDS = {
    getattr(termios, name): int(name[1:])
    for name in dir(termios)
    if name[0] == "B" and name[1:].isdigit()
}
COMPLAINTS = 16
F746_INFO = {
    "board": "nucleo_f746",
    "tick_unit": TickUnit.CPU_CYCLES,
    "uid": b"\1" * 12,
    "build_id": b"\2" * 20,
}
"""What a Nucleo-F746ZG says of itself."""


class Board(MemoryBoard):
    """MemoryBoard with a rate: HELLO may raise it up to ``max_baud``; frames that are damaged lower
    it again.
    """

    def __init__(self, max_baud=2_000_000, **says):
        super().__init__(**says)
        self.max_baud, self.baud, self.next_baud, self.complaints = (
            max_baud,
            FIRST_BAUD,
            FIRST_BAUD,
            0,
        )

    def answer(self, frame):
        body = getattr(frame, "body", None)
        self.complaints = self.complaints + 1 if body is None else 0
        if isinstance(body, Hello) and FIRST_BAUD <= body.baud <= self.max_baud:
            self.next_baud = body.baud
        return super().answer(frame)

    def info(self):
        self.says = {**self.says, "baud": self.next_baud, "max_baud": self.max_baud}
        return super().info()


class Parrot(Board):
    """Other firmware: says something of its own to whatever it hears."""

    def write(self, data):
        self.out += b"unknown command\r\n\0"


class FakeDesk:
    """A context manager: serves ``board`` at ``url`` from a thread.

    ``garbage`` is what the board says as it boots.

    ``carries``: the highest rate that the wire itself bears. ``unplug`` and ``plug`` take the port
    away and bring a new one, ``hang`` silences the board until it is ``restart``ed.
    """

    def __init__(self, board, link, garbage=b"", carries=2_000_000):
        self.board, self.link, self.garbage, self.carries = board, link, garbage, carries
        self.hung = False
        self._stop = threading.Event()

    @property
    def url(self):
        return str(self.link)

    def __enter__(self):
        self.plug()
        return self

    def __exit__(self, *error):
        self.unplug()

    def plug(self):
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.link.symlink_to(os.ttyname(self._slave))
        self._stop.clear()
        self._wake = os.pipe()
        os.write(self._master, self.garbage)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def unplug(self):
        if self._stop.is_set():
            return
        self._stop.set()
        os.write(self._wake[1], b"x")
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def restart(self):
        """As after a reset: no plan, the first rate."""
        self.hung = False
        self.board.plan, self.board.ready = bytearray(), False
        self.board.baud = self.board.next_baud = FIRST_BAUD

    def _serve(self):
        while not self._stop.is_set():
            ready, _, _ = select.select([self._master, self._wake[0]], [], [])
            if self._wake[0] in ready:
                break
            self._hear(os.read(self._master, 1 << 16))
        self.link.unlink()
        for fd in (self._slave, self._master, *self._wake):
            os.close(fd)

    def _hear(self, data):
        board = self.board
        if self.hung:
            return
        if not self._agrees():
            board.complaints += len(data)
            if board.complaints >= COMPLAINTS:
                board.baud = board.next_baud = FIRST_BAUD
            return
        board.write(data)
        out, board.out = bytes(board.out), bytearray()
        os.write(self._master, out)
        board.baud = board.next_baud

    def _agrees(self):
        host = SPEEDS[termios.tcgetattr(self._master)[5]]
        return host == self.board.baud <= self.carries
