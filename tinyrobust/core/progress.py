"""How far something slow is, told in lines on stderr now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from tinyrobust.core.plain import printable

LINE_SECONDS = 10.0
"""Between two lines."""

Say = Callable[[str], None]
"""Is told one line."""


def to_stderr(line: str) -> None:
    """One line of progress where it cannot mix with a result on stdout."""
    print(printable(line), file=sys.stderr, flush=True)


class Pace:
    """Says now and then how far something slow is, and how long it will still take.

    Of quick things nothing is said.
    """

    def __init__(
        self, what: str, done: str, say: Say, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._what, self._done, self._say, self._clock = what, done, say, clock
        self._last = self._said = clock()
        self._took = 0.0
        self._paid = 0
        self._before = 0

    def __call__(self, done: int, total: int) -> None:
        """``done`` of ``total`` are there.

        What comes at no cost, out of a cache, is not counted as work.
        """
        now = self._clock()
        took, made = now - self._last, done - self._before
        self._last, self._before = now, done
        if took > 0.01 * LINE_SECONDS:
            self._took += took
            self._paid += made
        if now - self._said > LINE_SECONDS and done < total and self._paid:
            self._said = now
            left = self._took / self._paid * (total - done)
            self._say(f"{self._what}: {done} of {total} {self._done}, about {duration(left)} left")


def duration(seconds: float) -> str:
    """``40 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
