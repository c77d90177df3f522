"""Ports of programs that run here: an emulator's named pipes, a child's stdin and stdout."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tinyrobust.core.errors import LinkError
from tinyrobust.host.link.ports import READ_BYTES, FdPort


class FifoPort(FdPort):
    """Two named pipes, as an emulator opens them by semihosting.

    ``to_board`` is written, ``from_board`` read. ``gone`` says why the emulator ended, or None
    while it runs.
    """

    def __init__(
        self,
        name: str,
        to_board: Path,
        from_board: Path,
        gone: Callable[[], str | None],
        timeout: float = 15.0,
    ) -> None:
        self._why = gone
        rx = os.open(from_board, os.O_RDONLY | os.O_NONBLOCK)
        deadline = time.monotonic() + timeout
        while True:
            try:
                tx = os.open(to_board, os.O_WRONLY | os.O_NONBLOCK)
                break
            except OSError as err:
                if err.errno == errno.ENXIO and gone() is None and time.monotonic() < deadline:
                    time.sleep(0.01)
                    continue
                os.close(rx)
                late = f"the firmware has not opened its port within {timeout:.0f} s"
                raise LinkError(f"{name}: {gone() or late}") from None
        super().__init__(name, rx, tx)
        self._heard = False

    def gone(self) -> str | None:
        """Why the peer is gone, or None while it may still answer."""
        if not self._heard:
            return self._why()
        deadline = time.monotonic() + 1.0
        while (why := self._why()) is None and time.monotonic() < deadline:
            # A killed process closes its pipes before it can be asked how it ended.
            time.sleep(0.01)
        return why or "closed its port"

    def read(self, timeout: float) -> bytes:
        """What has arrived; empty where no byte comes within ``timeout`` seconds."""
        data = super().read(timeout)
        self._heard = self._heard or bool(data)
        return data


class ChildPort(FdPort):
    """The stdin and stdout of a program that this port starts, and ends on close."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the port
        try:
            self._child = subprocess.Popen(
                list(argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                bufsize=0,
            )
        except OSError as err:
            self._complaints.close()
            raise LinkError(f"{argv[0]}: {err.strerror}: build it first") from None
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        super().__init__(
            Path(argv[0]).name, self._child.stdout.fileno(), self._child.stdin.fileno()
        )

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._child.pid

    def gone(self) -> str | None:
        """Why the peer is gone, or None while it may still answer."""
        try:
            status = self._child.wait(2.0)
        except subprocess.TimeoutExpired:
            return "closed its output"
        self._complaints.seek(0)
        lines = self._complaints.read(READ_BYTES).decode("utf-8", "replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"ended with status {status}" + (f": {said[:200]}" if said else "")

    def close(self) -> None:
        """Releases everything; safe to call twice.

        The end of its input lets the program end by itself; one that does not is killed.
        """
        if self._closed:
            return
        self._closed = True
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        with contextlib.suppress(OSError):
            self._child.stdin.close()
        self._child.stdout.close()
        try:
            self._child.wait(2.0)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._complaints.close()
