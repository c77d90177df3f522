"""Runs a command whose processes all end with the one that asked for it, even by ``kill -9``.

A build is a tree of processes (PlatformIO, SCons, compilers), and nothing tells the lower ones that
the upper one is gone: they would go on writing into folders that the next build uses. So a guard
stands between. It waits on a pipe that only its parent holds open; at the pipe's end, and at the
command's own, it kills what is left of the command's session, and it holds its parent's lock until
then. Standard library only: the guard runs as a file, without any package.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
"""prctl(2): orphans below this process become its children, so that it can wait for their end."""
ORPHAN_SECONDS = 10.0


@contextlib.contextmanager
def guarded(
    argv: Sequence[str],
    cwd: Path,
    locks: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
    stderr: int = subprocess.PIPE,
) -> Iterator[subprocess.Popen[str]]:
    """``argv`` as a process with its output on pipes; it and all it started end with the block.

    ``locks`` are file descriptors that its processes hold until then
    (``tinyrobust.host.setup.alone``). ``stderr`` is as for Popen. The exit status is the command's,
    or 128 and the signal that killed it.
    """
    watched, held = os.pipe()
    command = [sys.executable, "-I", "-S", __file__, str(watched), ",".join(map(str, locks)), *argv]
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            errors="replace",
            start_new_session=True,  # the keyboard's interrupt reaches us alone
            pass_fds=(watched, *locks),
        )
    except BaseException:
        os.close(held)
        raise
    finally:
        os.close(watched)
    try:
        with process:
            try:
                yield process
            finally:
                os.close(held)
    finally:
        process.wait()  # Popen does not where the keyboard interrupted


def main(arguments: Sequence[str]) -> int:
    """The guard itself: ``guard.py WATCHED LOCK[,LOCK]... COMMAND...``, file descriptors."""
    watched, command = int(arguments[0]), arguments[2:]
    locks = [int(number) for number in arguments[1].split(",") if number]
    with contextlib.suppress(OSError, AttributeError):  # elsewhere orphans are not waited for
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        child = subprocess.Popen(command, start_new_session=True, pass_fds=locks)
    except OSError as err:
        print(f"{command[0]}: {err.strerror}", file=sys.stderr)
        return 127

    def wait_for_parent() -> None:
        os.read(watched, 1)
        _kill_session(child.pid)

    threading.Thread(target=wait_for_parent, daemon=True).start()
    # Not reaped yet: its session's number stays its own.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    _kill_session(child.pid)
    status = child.wait()
    _wait_for_orphans()
    return 128 - status if status < 0 else status


def _kill_session(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _wait_for_orphans() -> None:
    """Until nothing below this process is left; a session of its own is waited for in vain."""
    deadline = time.monotonic() + ORPHAN_SECONDS
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
