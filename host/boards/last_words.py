"""What a child process said last: its output is drained, and only the last lines are kept."""

from __future__ import annotations

import re
import threading
from collections import deque
from typing import BinaryIO

KEPT_LINES = 50
LINE_BYTES = 512
"""What is read at once: a longer line comes in pieces of this size."""
DRAIN_SECONDS = 1.0
"""How long an ended process's last bytes may take to arrive."""
CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[^\t\x20-\x7e\xa0-\U0010ffff]")
"""ECMA-48 control sequences and every other character that a terminal might act on."""


class LastWords:
    """The last ``KEPT_LINES`` lines of a pipe, which a thread reads until its end.

    A process that talks without end neither blocks on a full pipe nor fills a disk or this one's
    memory.
    """

    def __init__(self, pipe: BinaryIO) -> None:
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._lock = threading.Lock()
        self._pipe = pipe
        self._thread = threading.Thread(target=self._drain, name="last words", daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        with self._pipe:
            while piece := self._pipe.readline(LINE_BYTES):
                line = CONTROL.sub("", piece.decode("utf-8", "replace")).strip()
                if line:
                    with self._lock:
                        self._lines.append(line)

    def ended(self) -> None:
        """Waits for what an ended process has left in the pipe, but for no child of it."""
        self._thread.join(DRAIN_SECONDS)

    def lines(self) -> list[str]:
        """The lines so far, oldest first, without blank ones and without control characters."""
        with self._lock:
            return list(self._lines)
