"""What the rungs of a network answered under every attack of its run, sample by sample."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tinyrobust.core.cells import Cell
from tinyrobust.core.types import BoolArray
from tinyrobust.host.analysis.groups import Groups, groups
from tinyrobust.host.analysis.worst_case import CLEAN
from tinyrobust.host.config.bench import Config
from tinyrobust.host.records.read import read_run
from tinyrobust.studies.runs import run, standing
from tinyrobust.studies.s3.networks import open_ladder

ATTACKS = ("apgd-ce", "apgd-t")
"""Auto-PGD on cross-entropy and towards nine targets, AutoAttack's first two (Croce and Hein 2020,
arXiv:2003.01690)."""
LEVELS = (1, 2, 4)
"""Budgets in levels of 255. From 8 on none of these networks answers anything right."""
FLOAT, TWIN = "float32", "twin"
"""The rungs that attacks are made on."""
COMMAND = "python -m tinyrobust.studies.s3"


@dataclass(frozen=True)
class Answers:
    """What the rungs of one network answered, by cell and rung."""

    name: str
    cells: Groups

    def clean(self, rung: str) -> BoolArray:
        """Which samples ``rung`` answers right without a perturbation, bool [n].

        Raises KeyError where the run has no such rung.
        """
        return standing(self.cells, rung, 0, (), ())

    def standing(self, rung: str, level: int, sources: Iterable[str]) -> BoolArray:
        """Which samples no attack made on ``sources`` turned on ``rung``, bool [n].

        ``level`` is the budget; 0 means without a perturbation. Raises KeyError where the run has
        no such rung or cell.
        """
        return standing(self.cells, rung, level, ATTACKS, sources)

    def rungs(self) -> tuple[str, ...]:
        """The rungs that answered, in the ladder's order."""
        return tuple(self.cells[Cell(CLEAN, "-", 0.0)])

    @property
    def samples(self) -> tuple[int, ...]:
        """Which samples were asked."""
        first = next(iter(self.cells[Cell(CLEAN, "-", 0.0)].values()))
        return tuple(int(one) for one in first.sample)


def white_box(rung: str) -> tuple[str, ...]:
    """What who knows ``rung`` makes attacks on: float32 for itself, both for the others."""
    return (FLOAT,) if rung == FLOAT else (FLOAT, TWIN)


def answers(name: str, board: str, samples: int, out: Path) -> Answers:
    """Runs, or finishes, or just finds, the bench of the network called ``name``."""
    config = Config(
        model=f"zoo:{name}",
        board=board,
        attacks=(CLEAN, *ATTACKS),
        eps=tuple(level / 255 for level in LEVELS),
        sources=(FLOAT, TWIN),
        samples=samples,
        out=out,
    )
    return read(name, run(config, lambda cache: open_ladder(name, cache), COMMAND))


def read(name: str, folder: Path) -> Answers:
    """What the rungs of the run in ``folder``, one of network ``name``, answered."""
    _, table = read_run(folder)
    return Answers(name, groups(table))
