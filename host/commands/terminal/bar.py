"""Progress on stderr: a bar where it is a terminal, now and then a line where it is not."""

from __future__ import annotations

import sys
import time

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from tinyrobust.core.plain import printable
from tinyrobust.core.progress import LINE_SECONDS
from tinyrobust.host.commands.terminal.tables import console


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
        """Prints one line above the bar."""
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
