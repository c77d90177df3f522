"""How many samples the integer network still answers right under attacks made on itself.

``python -m tinyrobust.studies.robust_zoo`` measured it, for the cards.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinyrobust.core.errors import UsageError
from tinyrobust.core.files import write_whole
from tinyrobust.core.stats import wilson
from tinyrobust.models.training import weight_files

FILE = weight_files.FOLDER / "robust.json"

_HEAD = """
## Robust accuracy

The networks trained on adversarial examples (`-at2`: of 2/255; `-at8`: of 8/255), as they are
deployed: `python -m tinyrobust.studies.robust_zoo NAME` attacks the integer network through its own
gradients and counts the test images that stay right under every attack, each with its 95 % Wilson
interval. It bounds the true robust accuracy from above. *flags*: what the bench found suspect in
the attacks.

| network | eps | attacks | undisturbed | robust | n | flags |
|---|---|---|---|---|---|---|"""


@dataclass(frozen=True)
class RobustAccuracy:
    """How many of the first ``samples`` test samples the .tflite of ``sha256`` answers right.

    ``clean`` are right undisturbed, ``standing`` under every one of ``attacks`` as well, at the
    Linf budget ``levels``. ``flags``: what the run found suspect in the attacks.
    """

    levels: int
    attacks: tuple[str, ...]
    samples: int
    clean: int
    standing: int
    flags: tuple[str, ...]
    sha256: str

    def __post_init__(self) -> None:
        if not 0 <= self.standing <= self.clean <= self.samples or self.samples < 1:
            raise ValueError("of the samples some are right, and of those some stand")

    def __str__(self) -> str:
        low, high = wilson(self.standing, self.samples)
        return f"{self.standing / self.samples:.1%} [{low:.1%}, {high:.1%}]"

    @property
    def undisturbed(self) -> str:
        """The share that is right without an attack, with its 95 % Wilson interval."""
        low, high = wilson(self.clean, self.samples)
        return f"{self.clean / self.samples:.1%} [{low:.1%}, {high:.1%}]"


Rows = dict[str, tuple[RobustAccuracy, ...]]
"""By zoo entry, one for each budget that was measured, smallest first."""


def read(path: Path = FILE) -> Rows:
    """Empty where nothing has been measured. Raises UsageError on a file that is none of ours."""
    if not path.exists():
        return {}
    try:
        kept = json.loads(path.read_text())
        return {name: tuple(_row(row) for row in rows) for name, rows in kept.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as err:
        raise UsageError(
            f"{path}: no file of robust accuracies ({err}); make it with python -m "
            "tinyrobust.studies.robust_zoo"
        ) from None


def with_row(rows: Rows, name: str, row: RobustAccuracy) -> Rows:
    """``rows`` with ``row`` in place of what was measured of ``name`` at its budget."""
    others = (one for one in rows.get(name, ()) if one.levels != row.levels)
    return {**rows, name: tuple(sorted((*others, row), key=lambda one: one.levels))}


def write(rows: Rows, path: Path = FILE) -> None:
    """Replaces the file in one rename. Raises UsageError where that cannot be."""
    kept = {name: [asdict(row) for row in rows[name]] for name in sorted(rows)}
    write_whole(path, f"{json.dumps(kept, indent=1)}\n".encode())


def section(rows: Rows) -> list[str]:
    """The lines of the cards' table, one for each network and budget; none without figures."""
    lines = [_line(name, row) for name in sorted(rows) for row in rows[name]]
    return [_HEAD, *lines] if lines else []


def _line(name: str, row: RobustAccuracy) -> str:
    cells = (
        name,
        f"{row.levels}/255",
        ", ".join(f"`{attack}`" for attack in row.attacks),
        row.undisturbed,
        str(row),
        f"{row.samples:,}",
        "; ".join(row.flags) or "none",
    )
    return f"| {' | '.join(cells)} |"


def _row(kept: Any) -> RobustAccuracy:
    lists = {name: tuple(kept[name]) for name in ("attacks", "flags")}
    return RobustAccuracy(**{**kept, **lists})
