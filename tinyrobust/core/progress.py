"""Progress on stderr: a bar where it is a terminal, now and then a line where it is not."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from tinyrobust.core.plain import printable
from tinyrobust.core.terminal import console

LINE_SECONDS = 10.0

Say = Callable[[str], None]


class Progress:
    """A context manager; ``say`` prints a line, ``tick`` moves the bar."""

    def __init__(self) -> None:
        self._console = console(sys.stderr)
        self._bar = Bar(
            BarColumn(24),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task: TaskID | None = None
        self._said = time.monotonic()

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def say(self, line: str) -> None:
        """One line, above the bar."""
        self._console.print(printable(line), soft_wrap=True)

    def tick(self, what: str, made: int, total: int) -> None:
        """``made`` of ``total`` records exist; ``what`` is being done."""
        if self._console.is_terminal:
            if self._task is None:
                self._task = self._bar.add_task(what, total=total)
            self._bar.update(self._task, completed=made, description=what)
        elif time.monotonic() - self._said > LINE_SECONDS or made == total:
            self._said = time.monotonic()
            self.say(f"{made}/{total} records: {what}")


class Pace:
    """Says now and then how far something slow is, and about how long it will still take; quick
    things say nothing.
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
