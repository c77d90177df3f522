"""Starts the emulator of a board and ends it, whatever happens.

Owns every process and every FIFO it makes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from tinyrobust.core.errors import UsageError
from tinyrobust.host.boards import renode
from tinyrobust.host.boards.last_words import LastWords
from tinyrobust.host.boards.table import Board, EmulatorKind, PortKind
from tinyrobust.host.setup.tools import checkout, found_version, tools

QEMU = "qemu-system-arm"
RENODE = "renode"
INSTRUCTION_NS_SHIFT = 6
"""``-icount shift=6``: 64 ns of emulated time per instruction, so that the 25 MHz timer resolves
single ones.
"""
TO_BOARD, FROM_BOARD = "to_board", "from_board"
WORDS = 300
"""Characters of an emulator's complaint that one line of ours has room for."""
SETTLE_SECONDS = 0.2
"""A complaint of several lines comes line by line."""


class Emulator:
    """A context manager: QEMU or Renode running ``elf`` on ``board``.

    Entering raises UsageError where the emulator is missing or too old; an early death and a
    refused platform are told by ``gone``. For a FIFO board the pipes are ``to_board`` and
    ``from_board``; for a TCP board ``url`` is the pyserial URL of its UART. ``options`` are further
    ones of QEMU.
    """

    def __init__(
        self, board: Board, elf: Path, *, icount: bool = True, options: Sequence[str] = ()
    ) -> None:
        self.board = board
        self._elf = elf.resolve()
        self._icount = icount
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._room: tempfile.TemporaryDirectory[str] | None = None
        self.to_board = self.from_board = Path()
        self.url = ""
        self._fds: tuple[int, ...] = ()
        self._said: LastWords | None = None
        self._refused_at = 0.0

    def __enter__(self) -> Emulator:
        """Starts it. See the class."""
        program = emulator_of(self.board)
        self._room = tempfile.TemporaryDirectory(prefix="tinyrobust-", ignore_cleanup_errors=True)
        try:
            with contextlib.ExitStack() as stack:
                room = Path(self._room.name)
                if self.board.emulator is EmulatorKind.RENODE:
                    self._start(self._renode(program), room)
                else:
                    self._start(self._qemu(program, room, stack), room)
        except BaseException:
            self.close()
            raise
        return self

    def _renode(self, program: str) -> Sequence[str]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"socket://127.0.0.1:{port}"
        script = checkout() / self.board.machine
        return [*_dies_with_us(), *renode.command_line(program, self._elf, port, script)]

    def _qemu(self, qemu: str, room: Path, stack: contextlib.ExitStack) -> Sequence[str]:
        argv = [
            qemu,
            "-machine",
            self.board.machine,
            "-kernel",
            str(self._elf),
            "-nographic",
            "-monitor",
            "none",
        ]
        argv += self._options
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
            # QEMU inherits the listening socket: no port number can be lost to somebody else, and a
            # client that connects before QEMU is up waits in the backlog.
            self._fds = (listener.fileno(),)
            argv += [
                "-chardev",
                f"socket,id=uart,fd={listener.fileno()},server=on,wait=off",
                "-serial",
                "chardev:uart",
            ]
            argv = [*_dies_with_us(), *argv]
        else:
            raise UsageError(f"{self.board.name} is not emulated by QEMU")
        return [*argv, "-semihosting-config", semihosting]

    def _start(self, argv: Sequence[str], room: Path) -> None:
        """Renode has its complaints on stdout and lives as long as its stdin is open."""
        is_renode = self.board.emulator is EmulatorKind.RENODE
        self._process = subprocess.Popen(
            argv,
            cwd=room,
            stdin=subprocess.PIPE if is_renode else subprocess.DEVNULL,
            stdout=subprocess.PIPE if is_renode else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if is_renode else subprocess.PIPE,
            start_new_session=True,
            pass_fds=self._fds,
        )
        output = self._process.stdout if is_renode else self._process.stderr
        assert output is not None
        self._said = LastWords(cast(BinaryIO, output))

    @property
    def pid(self) -> int:
        """Process id of the emulator, 0 where none runs."""
        return self._process.pid if self._process else 0

    @property
    def room(self) -> Path:
        """The private folder of its FIFOs, gone after ``close``."""
        return Path(self._room.name) if self._room else Path()

    def gone(self) -> str | None:
        """Why the emulator has ended, or will never start its board; None while it runs."""
        if self._process is None:
            return "the emulator is not running"
        status = self._process.poll()
        if status is None:
            why = self._refusal()
            self._refused_at = self._refused_at or (time.monotonic() if why else 0.0)
            settled = why and time.monotonic() > self._refused_at + SETTLE_SECONDS
            return f"the emulator refused the board: {why}" if settled else None
        if self._said is not None:
            self._said.ended()
        how = f"ended with status {status}"
        if status < 0:
            how = f"was killed by {signal.Signals(-status).name}"
        said = self._refusal() or self.last_words()
        return f"the emulator {how}" + (f": {said}" if said else "")

    def _refusal(self) -> str:
        if self._said is None or self.board.emulator is not EmulatorKind.RENODE:
            return ""
        return renode.refusal(self._said.lines())[:WORDS]

    def last_words(self) -> str:
        """The last line that it has said, or its complaint where it marks one; else empty."""
        lines = self._said.lines() if self._said is not None else []
        named = [
            line for line in lines if line.startswith(QEMU)
        ]  # the complaint itself, not the hint that follows it
        return ([""] + (named or lines))[-1][:WORDS]

    def close(self) -> None:
        """Kills the emulator with its process group and removes the FIFOs. Safe to call twice."""
        if self._process is not None:
            if self._process.poll() is None:
                # Not SIGTERM: a QEMU that waits in a semihosting call does not act on it.
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process = None
        if self._room is not None:
            self._room.cleanup()
            self._room = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends it."""
        self.close()


def emulator_of(board: Board) -> str:
    """The program that emulates ``board``.

    Raises UsageError, with what to install, where it is missing or too old.
    """
    for tool in tools([board.needs]):
        if found_version(tool) is None:
            raise UsageError(f"{board.name}: {tool.name} is missing: {tool.remedy}")
    program = shutil.which(RENODE if board.emulator is EmulatorKind.RENODE else QEMU)
    if program is None:
        raise UsageError(f"{QEMU} is missing: apt-get install qemu-system-arm")
    return program


def _dies_with_us() -> Sequence[str]:
    """What goes before the command of an emulator with a UART, so that it ends with this program.

    That emulator never ends by itself, and nothing else tells an orphan to.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []
