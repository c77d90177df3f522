"""Tables for a person, on any terminal: in its own characters, without markup or escapes.

Names come from boards, run folders and USB descriptors, and are shown as they are: rich's markup is
off, and what is not printable is a question mark. Where the terminal's encoding has no boxes they
are drawn in ASCII.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.table import Table

from tinyrobust.core.plain import printable

PIPE_COLUMNS = 160
"""Width of a table that no terminal limits."""


def console(file: TextIO | None = None) -> Console:
    """For ``file``, or stdout; ``PIPE_COLUMNS`` wide where that is no terminal."""
    made = Console(file=file, markup=False, emoji=False, highlight=False)
    if not made.is_terminal:
        made.width = PIPE_COLUMNS
    return made


@dataclass(frozen=True)
class Column:
    """One column of a table; ``whole``: its cells are never broken into lines."""

    name: str
    right: bool = False
    whole: bool = False


def show(columns: Sequence[Column], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """Prints a table on stdout."""
    to = console()
    table = Table(title=printable(title) or None)
    # What does not fit ends in an ellipsis, which not every encoding has: there it goes on below.
    poor = to.options.ascii_only
    for one in columns:
        table.add_column(
            printable(one.name),
            justify="right" if one.right else "left",
            no_wrap=one.whole and not poor,
            overflow="fold" if poor else "ellipsis",
        )
    for row in rows:
        table.add_row(*map(printable, row))
    to.print(table)
