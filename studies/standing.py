"""What no attack turned, of the records of one run."""

from __future__ import annotations

from collections.abc import Iterable

from tinyrobust.core.cells import Cell
from tinyrobust.core.types import BoolArray
from tinyrobust.host.analysis.groups import Groups
from tinyrobust.host.analysis.worst_case import CLEAN


def standing(
    cells: Groups, rung: str, level: int, attacks: Iterable[str], sources: Iterable[str]
) -> BoolArray:
    """Which samples ``rung`` answers right when clean and under each of ``attacks``, bool [n].

    The attacks are those made on ``sources`` at a budget of ``level`` levels of 255; 0 means
    without a perturbation. Raises KeyError where the run has no such rung or cell.
    """
    right = cells[Cell(CLEAN, "-", 0.0)][rung].right
    made = [Cell(attack, source, level / 255) for attack in attacks for source in sources]
    for cell in made if level else ():
        right = right & cells[cell][rung].right
    return right
