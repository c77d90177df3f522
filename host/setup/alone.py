"""One set-up or build of a checkout at a time. Standard library only."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(root: Path) -> Iterator[int]:
    """Waits for its turn, then holds the checkout's lock: parallel runs share its build folders.

    Yields the lock's file descriptor. A process that inherits it (``tinyrobust.host.setup.guard``)
    holds the lock as well: what lives on after a ``kill -9`` of this one still keeps others out.
    """
    with (root / ".setup-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()
