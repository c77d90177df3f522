"""The firmware as a child process, spoken to frame by frame: no retries, no window, nothing
hidden.
"""

from __future__ import annotations

import os
import select
import time
from pathlib import Path
from typing import Any

from tests.support.link.child import SILENCE, Child
from tinyrobust.core.abi.wire import LOAD_CHUNK, Load, Loaded, Type
from tinyrobust.host.link.frame import Damaged, Deframer, Frame, encode


class Board(Child):
    """A context manager; on leaving, the process must end by itself, with status 0 and nothing on
    stderr.
    """

    def __init__(self, binary: Path) -> None:
        super().__init__(binary)
        self._deframer = Deframer()
        self._frames: list[Frame | Damaged] = []
        self._seq = 0

    def receive(self) -> Frame:
        """The next frame."""
        end = time.monotonic() + SILENCE
        while not self._frames:
            left = end - time.monotonic()
            ready, _, _ = select.select([self.process.stdout], [], [], max(left, 0))
            assert ready, "the firmware hangs"
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            assert data, f"the firmware ended: {self.complaint()[:2000]}"
            self._frames += self._deframer.feed(data)
        frame = self._frames.pop(0)
        assert isinstance(frame, Frame), frame
        return frame

    def ask(self, body: Any, tail: bytes = b"") -> Frame:
        """One request and its answer, which echoes the sequence number."""
        self._seq = self._seq % 65_535 + 1
        self.send(encode(self._seq, body, tail))
        answer = self.receive()
        assert answer.seq == self._seq
        return answer

    def load(self, plan: bytes, chunk: int = LOAD_CHUNK) -> Frame:
        """Uploads a plan; the first ERROR or the last LOADED."""
        for at in range(0, len(plan), chunk):
            answer = self.ask(Load(len(plan), at), plan[at : at + chunk])
            if answer.type == Type.ERROR:
                return answer
            end = min(at + chunk, len(plan))
            assert answer.body == Loaded(end, int(end == len(plan)))
        return answer
