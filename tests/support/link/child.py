"""A firmware as a child process, spoken to in raw bytes; on leaving it must have ended by itself,
without complaint.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

SILENCE = 30.0
"""Seconds without an answer that count as a hang."""


class Child:
    """A context manager; on leaving, the process must end by itself, with status 0 and nothing on
    stderr.
    """

    def __init__(self, binary: Path) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self.process = subprocess.Popen(
            [binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr
        )

    def __enter__(self):
        return self

    def __exit__(
        self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None
    ) -> None:
        self.process.stdin.close()
        try:
            status = self.process.wait(SILENCE)
        finally:
            self.process.kill()
            self.process.stdout.close()
        if kind is None:
            assert (status, self.complaint()) == (0, "")

    def complaint(self) -> str:
        """What the process wrote to stderr: a sanitizer's report."""
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")

    def send(self, data: bytes) -> None:
        """Raw bytes."""
        self.process.stdin.write(data)
        self.process.stdin.flush()
