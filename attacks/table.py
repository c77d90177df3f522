"""The tables of docs/attacks.md, written from the registry.

``python -m tinyrobust.attacks.table``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from tinyrobust.attacks.base.problem import AttackInfo, Needs, Norm
from tinyrobust.attacks.registry import ATTACKS, groups

PAGE = Path(__file__).resolve().parents[1] / "docs" / "attacks.md"

_ASKS = {
    Needs.NOTHING: "nothing",
    Needs.DECISIONS: "decisions",
    Needs.SCORES: "scores",
    Needs.GRADIENTS: "gradients",
}
_NORMS = {Norm.LINF: "Linf", Norm.L2: "L2", Norm.L1: "L1", Norm.L0: "L0"}


def attacks() -> str:
    """One line an attack, in the registry's order."""
    rows = (
        (f"`{row.name}`", row.title, _ASKS[row.needs], _budget(row), row.paper)
        for row in ATTACKS.values()
    )
    return _table(("name", "attack", "asks for", "budget", "published in"), rows)


def names() -> str:
    """One line a group."""
    rows = (
        (f"`{name}`", ", ".join(f"`{row}`" for row in members))
        for name, members in groups().items()
    )
    return _table(("group", "attacks"), (row for row in rows if row[0] != "`all`"))


def written(page: str) -> str:
    """``page`` with both tables renewed between their markers.

    Raises ValueError where it has none.
    """
    for marker, table in (("attacks", attacks()), ("groups", names())):
        head, found, rest = page.partition(f"<!-- {marker} -->\n")
        _, ended, tail = rest.partition(f"<!-- end of {marker} -->\n")
        if not found or not ended:
            raise ValueError(f"docs/attacks.md has no place for the table of {marker}")
        page = f"{head}{found}\n{table}\n{ended}{tail}"
    return page


def _budget(row: AttackInfo) -> str:
    if row.minimises:
        return f"smallest {_NORMS[row.norm]}"
    eps = ", ".join(f"{eps:g}" for eps in row.eps)
    return f"{_NORMS[row.norm]}, eps {eps}" if eps else _NORMS[row.norm]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> int:
    """Rewrites the page."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
