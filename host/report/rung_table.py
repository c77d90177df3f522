"""The report's table of rungs: accuracy of each one, cost of each step between two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyrobust.core.cells import Cell
from tinyrobust.host.analysis.groups import rank
from tinyrobust.host.analysis.metrics import Step, SummaryRow

SIGNIFICANT = 0.05
"""p-value below which a step is marked.

One test a step and cell, not corrected for their number.
"""


@dataclass(frozen=True)
class Line:
    """One cell in the table's columns.

    ``rungs`` and ``steps`` are None where that rung did not answer.
    """

    cell: Cell
    levels: int
    rungs: tuple[SummaryRow | None, ...]
    steps: tuple[Step | None, ...]


@dataclass(frozen=True)
class Section:
    """The cells of one attack from one source."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class RungTable:
    """Rungs are the columns, in the ladder's order; between two of them stands their step."""

    columns: tuple[str, ...]
    sections: tuple[Section, ...]


def rung_table(rows: Sequence[SummaryRow], steps: Sequence[Step]) -> RungTable:
    """Lay out summary rows and steps, in the rows' order."""
    rungs = tuple(sorted({row.rung for row in rows}, key=rank))
    by_cell: dict[Cell, dict[str, SummaryRow]] = {}
    for row in rows:
        by_cell.setdefault(Cell(row.attack, row.source, row.eps, row.seed), {})[row.rung] = row
    by_step = {(Cell(s.attack, s.source, s.eps, s.seed), s.lower): s for s in steps}
    sections: dict[str, list[Line]] = {}
    for cell, answers in by_cell.items():
        line = Line(
            cell,
            next(iter(answers.values())).levels,
            tuple(answers.get(rung) for rung in rungs),
            tuple(by_step.get((cell, rung)) for rung in rungs[1:]),
        )
        sections.setdefault(section_title(cell), []).append(line)
    return RungTable(
        rungs, tuple(Section(title, tuple(lines)) for title, lines in sections.items())
    )


def section_title(cell: Cell) -> str:
    """``pgd made on qat``; the source is left out where there is none."""
    return cell.attack if cell.source == "-" else f"{cell.attack} made on {cell.source}"
