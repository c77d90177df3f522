"""Runs of the bench for a study: made, finished, or just found; and what no attack turned there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from tinyrobust.core.cache import cache_folder
from tinyrobust.core.cells import Cell
from tinyrobust.core.progress import to_stderr
from tinyrobust.core.types import BoolArray
from tinyrobust.host.analysis.groups import Groups
from tinyrobust.host.analysis.worst_case import CLEAN
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.commands.terminal.bar import Progress
from tinyrobust.host.config.bench import Config
from tinyrobust.host.devices.attach import attach
from tinyrobust.host.records.schema import Manifest
from tinyrobust.host.records.store import MANIFEST, read_manifest
from tinyrobust.host.report.page import write_report
from tinyrobust.host.runs.execute import execute
from tinyrobust.models.rungs.ladder import Ladder


def run(config: Config, opened: Callable[[Path], Ladder], command: str) -> Path:
    """The folder of the run of ``config`` on the ladder ``opened`` from the cache, with its report.

    ``command`` is what the run's manifest says of its origin. A run that is complete is found.
    """
    cache = cache_folder()
    with attach(get_board(config.board), to_stderr) as device, Progress() as progress:
        ladder = opened(cache)
        outcome = execute(config, ladder, device, cache, progress.say, progress.tick, command)
        ladder.close()
    write_report(outcome.path)
    return outcome.path


def largest(out: Path, model: str, attack: str) -> Path | None:
    """The newest complete run in ``out`` of ``attack`` on most samples of ``model``, or None."""
    runs = [(path.parent, read_manifest(path.parent)) for path in out.glob(f"*/{MANIFEST}")]
    found = [(m.samples, m.created, path) for path, m in runs if _fits(m, model, attack)]
    return max(found)[2] if found else None


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


def _fits(manifest: Manifest, model: str, attack: str) -> bool:
    return (manifest.state, manifest.model) == ("complete", model) and attack in manifest.attacks
