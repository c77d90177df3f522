"""Targeted attacks: the share of samples that were moved to the class they should be taken for.

Pure. A sample counts where its label is another class and the rung, asked about the clean sample,
did not give the target already.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyrobust.core.stats import wilson
from tinyrobust.host.analysis.groups import Group


@dataclass(frozen=True)
class Moved:
    """Of ``n`` samples, at least 1, ``reached`` became their target."""

    reached: int
    n: int

    @property
    def share(self) -> float:
        """Targeted success rate, 0..1."""
        return self.reached / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of ``share``."""
        return wilson(self.reached, self.n)


def moved(group: Group, clean: Group | None) -> Moved | None:
    """What an attack did on the group's rung, whose answers to the clean samples are ``clean``.

    None where the attack had no target, the clean samples were not asked or no sample counts.
    """
    if clean is None or np.all(group.target < 0):
        return None
    _, mine, theirs = np.intersect1d(
        group.sample, clean.sample, assume_unique=True, return_indices=True
    )
    target = group.target[mine]
    counts = (target >= 0) & (group.label[mine] != target) & (clean.predicted[theirs] != target)
    n = int(counts.sum())
    return Moved(int(np.sum(group.predicted[mine][counts] == target[counts])), n) if n else None
