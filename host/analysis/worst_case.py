"""Robust accuracy: the share of samples that no attack of a run turned, sample by sample.

The pointwise worst case over all attacks of a run (as RobustBench counts, Croce et al. 2021,
arXiv:2010.09670): a sample stands on a rung where the rung answers it right when it is clean and
under every perturbation of the run that is inside the budget, whichever attack made it, on
whichever source. It bounds the true robust accuracy from above: an attack that was not run may
turn more. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tinyrobust.core.cells import Cell
from tinyrobust.core.stats import wilson
from tinyrobust.core.types import BoolArray, Int64Array
from tinyrobust.host.analysis.divergence import DEVICES
from tinyrobust.host.analysis.groups import SLACK, Group, Groups, groups, rank
from tinyrobust.host.analysis.metrics import STEPS
from tinyrobust.host.records.schema import Manifest

CLEAN = "clean"
WORST_CASE = "worst-case"
"""What stands for an attack's name where all attacks of a run are meant."""


@dataclass(frozen=True)
class Standing:
    """How many of the samples of a worst case one rung still answers right."""

    rung: str
    standing: int
    n: int
    accuracy: float
    """``standing / n``."""
    low: float
    """95 % Wilson interval of ``accuracy``."""
    high: float

    @classmethod
    def of(cls, rung: str, right: BoolArray) -> Standing:
        """What ``rung`` stands, given which samples are right: bool [n], n at least 1."""
        standing, n = int(right.sum()), len(right)
        return cls(rung, standing, n, standing / n, *wilson(standing, n))


@dataclass(frozen=True)
class WorstCase:
    """Robust accuracy at one budget: on the rung that is flashed, and on every other one."""

    norm: str
    """``linf``, ``l2``, ``l1`` or ``l0``."""
    eps: float
    """Largest perturbation, in multiples of the input range; in elements for ``l0``."""
    flashed: Standing
    """On the device of the run, or on the last rung of the ladder where it had none."""
    clean: Standing
    """The same rung on the same samples without a perturbation."""
    ladder: tuple[Standing, ...]
    """Every rung in the ladder's order, on the same samples; ``flashed`` is the last."""
    strongest: Cell | None
    """The cell that alone turned most samples of the flashed rung; None where none turned any."""
    turned: int
    """How many that were."""


def worst_cases(table: pa.Table, manifest: Manifest) -> list[WorstCase]:
    """One for every norm and budget that an attack of the run was given, smallest budget first.

    A minimising attack is given none, but counts at every budget that its results are inside of.
    Samples are those that have a label and that every rung answered on every cell. Empty without
    labels, without the clean cell, or where only minimising attacks were run.
    """
    all_ = answered(table)
    if all_ is None:
        return []
    return [
        _worst_case(all_, norm, eps, manifest.input_steps)
        for norm, eps in _budgets(all_.found, manifest)
    ]


@dataclass(frozen=True)
class Answered:
    """What can be compared: the samples with a label that every rung answered on every cell."""

    found: Groups
    rungs: tuple[str, ...]
    """In the ladder's order; the last is the one that is flashed."""
    samples: Int64Array
    """Sorted, at least one."""


def answered(table: pa.Table) -> Answered | None:
    """None without labels, or without the clean cell."""
    found = groups(table)
    clean = next((rungs for cell, rungs in found.items() if cell.attack == CLEAN), None)
    if not clean:
        return None
    rungs = sorted(clean, key=rank)
    flashed = next((rung for rung in rungs if rung in DEVICES), rungs[-1])
    rungs = [rung for rung in rungs if rung != flashed] + [flashed]
    samples = _shared(found, rungs)
    return Answered(found, tuple(rungs), samples) if len(samples) else None


def _budgets(found: Groups, manifest: Manifest) -> Iterator[tuple[str, float]]:
    """What attacks were asked for, without Linf ones below one level; on 256 as whole levels."""
    coarse = manifest.input_steps == STEPS
    asked: set[tuple[str, float]] = set()
    for cell, rungs in found.items():
        kind = manifest.kind(cell.attack)
        if cell.attack == CLEAN or kind is None or kind.minimises:
            continue
        levels = next(iter(rungs.values())).levels
        if kind.norm == "linf" and not levels:
            continue
        eps = levels / STEPS if kind.norm == "linf" and coarse else cell.eps
        if eps > 0:
            asked.add((kind.norm, eps))
    yield from sorted(asked)


def _shared(found: Groups, rungs: list[str]) -> Int64Array:
    """Labelled samples that every rung answered on every cell, int64, sorted."""
    shared: Int64Array | None = None
    for answers in found.values():
        for rung in rungs:
            if rung not in answers:
                continue
            group = answers[rung]
            mine = group.sample[group.label >= 0]
            shared = mine if shared is None else np.intersect1d(shared, mine)
    return shared if shared is not None else np.empty(0, np.int64)


def _worst_case(all_: Answered, norm: str, eps: float, steps: int) -> WorstCase:
    ladder: list[Standing] = []
    for rung in all_.rungs:
        wrong = {
            cell: _wrong_inside(answers[rung], all_.samples, norm, eps, steps)
            for cell, answers in all_.found.items()
            if rung in answers
        }
        ladder.append(Standing.of(rung, ~np.any(list(wrong.values()), axis=0)))
    # What is left of the loop is the flashed rung, the last one.
    right = ~np.any([one for cell, one in wrong.items() if cell.attack == CLEAN], axis=0)
    alone = {cell: int((one & right).sum()) for cell, one in wrong.items() if cell.attack != CLEAN}
    strongest = max(alone, key=lambda cell: alone[cell], default=None)
    turned = alone[strongest] if strongest else 0
    return WorstCase(
        norm,
        eps,
        flashed=ladder[-1],
        clean=Standing.of(all_.rungs[-1], right),
        ladder=tuple(ladder),
        strongest=strongest if turned else None,
        turned=turned,
    )


def _wrong_inside(
    group: Group, samples: Int64Array, norm: str, eps: float, steps: int
) -> BoolArray:
    """Which of ``samples`` the group answers wrong on a perturbation inside the budget, bool."""
    at = np.searchsorted(group.sample, samples)
    inside = group.size(norm, steps)[at] <= eps * (1 + SLACK)
    wrong: BoolArray = ~group.right[at] & inside
    return wrong
