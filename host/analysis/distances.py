"""How far right answers are from wrong ones: what attacks that minimise found, on each rung. Pure.

Every distance is an upper bound: the attack found a point that near, there may be one nearer. Only
samples that the rung answers right when they are clean have one; a sample that no point of the
attack fooled counts as infinitely far.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tinyrobust.host.analysis.groups import Group, groups, rank
from tinyrobust.host.analysis.metrics import STEPS, attack_order
from tinyrobust.host.records.schema import Manifest

CLEAN = "clean"


@dataclass(frozen=True)
class Quartiles:
    """Of a distance over the samples; None where fewer than that share were reached."""

    low: float | None
    median: float | None
    high: float | None


@dataclass(frozen=True)
class Distances:
    """One attack made on one source, on one rung: the distance it needed for each sample.

    It is infinite where the rung was not fooled.
    """

    rung: str
    attack: str
    source: str
    seed: int
    norm: str
    """The one that the attack minimises."""
    l0: NDArray[np.float64]
    """Elements changed, float64 [n]."""
    l2: NDArray[np.float64]
    """Multiples of the input range."""
    l1: NDArray[np.float64]
    """Multiples of the input range; NaN where it was not recorded."""
    linf: NDArray[np.float64]
    """Multiples of the input range."""

    @property
    def n(self) -> int:
        """The number of samples that count.

        The rung answers them right when they are clean, the attack did not fail on them, and their
        label is not what it wanted them to be.
        """
        return len(self.l2)

    @property
    def reached(self) -> int:
        """Of them those that the attack fooled the rung on."""
        return int(np.isfinite(self.l2).sum())

    @property
    def own(self) -> NDArray[np.float64]:
        """The distance in the norm ``shown``, Linf in 1/255 of the input range."""
        return {"l0": self.l0, "l1": self.l1, "l2": self.l2, "linf": self.linf * STEPS}[self.shown]

    @property
    def shown(self) -> str:
        """The attack's norm; L2 stands in for L1 in records of a version that did not keep it."""
        return "l2" if self.norm == "l1" and np.isnan(self.l1).any() else self.norm


def distances(table: pa.Table, manifest: Manifest) -> list[Distances]:
    """Distances for each rung and each cell of an attack that minimises.

    There are none without labels or without the clean cell.
    """
    found, order = groups(table), attack_order(manifest)
    right = {
        rung: group
        for cell, rungs in found.items()
        if cell.attack == CLEAN
        for rung, group in rungs.items()
    }
    out = []
    for cell, rungs in found.items():
        kind = manifest.kind(cell.attack)
        if kind is not None and kind.minimises:
            out += [
                _of(group, right[rung], kind.norm, manifest.input_steps)
                for rung, group in rungs.items()
                if rung in right
            ]
    out = [one for one in out if one.n]
    return sorted(
        out,
        key=lambda d: (order.get(d.attack, len(order)), d.attack, d.source, d.seed, rank(d.rung)),
    )


def quartiles(distance: NDArray[np.float64]) -> Quartiles:
    """The smallest distances that hold a quarter, a half and three quarters of the samples."""
    cut = np.quantile(distance, (0.25, 0.5, 0.75), method="inverted_cdf")
    return Quartiles(*(float(value) if np.isfinite(value) else None for value in cut))


def _of(group: Group, clean: Group, norm: str, steps: int) -> Distances:
    _, mine, theirs = np.intersect1d(
        group.sample, clean.sample, assume_unique=True, return_indices=True
    )
    measured = clean.right[theirs] & (clean.label[theirs] >= 0) & ~group.failed[mine]
    measured &= group.target[mine] != clean.label[theirs]
    at = mine[measured]
    fooled = ~group.right[at]

    def sizes(values: NDArray[np.generic]) -> NDArray[np.float64]:
        return np.where(fooled, values[at].astype(np.float64), np.inf)

    cell = group.cell
    return Distances(
        group.rung,
        cell.attack,
        cell.source,
        cell.seed,
        norm,
        sizes(group.l0),
        sizes(group.l2),
        sizes(group.l1),
        sizes(group.linf / steps),
    )
