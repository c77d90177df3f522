"""Measured rows as Markdown, the same text for the terminal and for docs/performance.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A title, a sentence that says what was measured and how, column heads and rows of text."""

    title: str
    about: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def markdown(table: Table) -> str:
    """One section, columns padded so that the source reads as well as the page."""
    widths = [
        max(len(row[i]) for row in (table.heads, *table.rows)) for i in range(len(table.heads))
    ]

    def line(cells: Sequence[str]) -> str:
        return (
            "| "
            + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
            + " |"
        )

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join(
        [
            f"## {table.title}",
            "",
            table.about,
            "",
            line(table.heads),
            rule,
            *map(line, table.rows),
            "",
        ]
    )
