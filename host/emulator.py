"""Starts QEMU for a board and ends it, whatever happens. Owns every process and every FIFO it makes."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from host.boards import Board, PortKind
from host.types import UsageError

QEMU = "qemu-system-arm"
INSTRUCTION_NS_SHIFT = 6
"""``-icount shift=6``: 64 ns of emulated time per instruction, so that the 25 MHz timer resolves single ones."""
TO_BOARD, FROM_BOARD = "to_board", "from_board"


class Emulator:
    """A context manager: QEMU running ``elf`` on ``board``.

    Entering raises UsageError where QEMU is missing; an early death is told by ``gone``. For a FIFO board the pipes are
    ``to_board`` and ``from_board``; for a TCP board ``url`` is the pyserial URL of its UART.
    """

    def __init__(self, board: Board, elf: Path, *, icount: bool = True) -> None:
        self.board = board
        self._elf = elf.resolve()
        self._icount = icount
        self._process: subprocess.Popen[bytes] | None = None
        self._room: tempfile.TemporaryDirectory[str] | None = None
        self.to_board = self.from_board = Path()
        self.url = ""

    def __enter__(self) -> Emulator:
        """Starts QEMU. See the class."""
        qemu = shutil.which(QEMU)
        if qemu is None:
            raise UsageError(f"{QEMU} is missing: apt-get install qemu-system-arm")
        self._room = tempfile.TemporaryDirectory(prefix="tinyrobust-", ignore_cleanup_errors=True)
        try:
            with contextlib.ExitStack() as stack:
                self._start(qemu, Path(self._room.name), stack)
        except BaseException:
            self.close()
            raise
        return self

    def _start(self, qemu: str, room: Path, stack: contextlib.ExitStack) -> None:
        fds: tuple[int, ...] = ()
        argv = [qemu, "-machine", self.board.machine, "-kernel", str(self._elf), "-nographic", "-monitor", "none"]
        if self._icount:
            argv += ["-icount", f"shift={INSTRUCTION_NS_SHIFT}"]
        semihosting = "enable=on,target=native"
        if self.board.port is PortKind.FIFO:
            self.to_board, self.from_board = room / TO_BOARD, room / FROM_BOARD
            os.mkfifo(self.to_board, 0o600)
            os.mkfifo(self.from_board, 0o600)
            # Relative names, because a semihosting command line cannot carry blanks or commas.
            semihosting += f",arg={TO_BOARD},arg={FROM_BOARD}"
            argv += ["-serial", "none"]
        elif self.board.port is PortKind.TCP:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            self.url = f"socket://127.0.0.1:{listener.getsockname()[1]}"
            # QEMU inherits the listening socket: no port number can be lost to somebody else, and a client that
            # connects before QEMU is up waits in the backlog.
            fds = (listener.fileno(),)
            argv += ["-chardev", f"socket,id=uart,fd={listener.fileno()},server=on,wait=off", "-serial", "chardev:uart"]
            if setpriv := shutil.which("setpriv"):  # a UART never ends, so nothing else would tell an orphan to
                argv = [setpriv, "--pdeathsig", "KILL", *argv]
        else:
            raise UsageError(f"{self.board.name} is not emulated by QEMU")
        argv += ["-semihosting-config", semihosting]
        stderr = stack.enter_context((room / "stderr").open("wb"))
        self._process = subprocess.Popen(
            argv,
            cwd=room,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
            pass_fds=fds,
        )

    @property
    def pid(self) -> int:
        """Process id of QEMU, 0 where none runs."""
        return self._process.pid if self._process else 0

    @property
    def room(self) -> Path:
        """The private folder of its FIFOs, gone after ``close``."""
        return Path(self._room.name) if self._room else Path()

    def gone(self) -> str | None:
        """Why QEMU has ended, in one line, or None while it runs."""
        if self._process is None:
            return "the emulator is not running"
        status = self._process.poll()
        if status is None:
            return None
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        said = self._last_words()
        return f"the emulator {how}" + (f": {said}" if said else "")

    def _last_words(self) -> str:
        if self._room is None:
            return ""
        path = Path(self._room.name) / "stderr"
        lines = path.read_bytes()[-4096:].decode("utf-8", "replace").splitlines() if path.exists() else []
        lines = [line.strip() for line in lines if line.strip()]
        named = [line for line in lines if line.startswith(QEMU)]  # the complaint itself, not the hint that follows it
        return ([""] + (named or lines))[-1][:200]

    def close(self) -> None:
        """Kills QEMU with its process group and removes the FIFOs. Safe to call twice."""
        if self._process is not None:
            if self._process.poll() is None:
                # Not SIGTERM: a QEMU that waits in a semihosting call does not act on it.
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
        if self._room is not None:
            self._room.cleanup()
            self._room = None

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends QEMU."""
        self.close()
