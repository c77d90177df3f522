"""How large Square's windows are: the paper's schedule, as far as the network still sees them."""

from __future__ import annotations

import numpy as np

from tinyrobust.core.types import BoolArray

HALVED_AT = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
"""Iterations at which the share of the image that a window covers is halved (the paper's)."""

SCHEDULE = 10_000
"""Iterations that the paper made its schedule for; a shorter search is given it in proportion."""

SEEN = 0.5
"""Share of the windows of a size that must change the margin, or windows get no smaller.

An int8 output has steps: a window of a few pixels moves it by less than one, and whatever the
search does with such windows is blind.
"""

LOOKS = 200
"""Windows of a size that are looked at before it is judged so."""


class Shares:
    """How much of the image the next window covers: ``p`` at first, then halved by the paper.

    ``schedule`` is the number of iterations that ``HALVED_AT`` is stretched to. Where fewer than
    the share ``seen`` of the windows of a size change the margin, the search goes back to the size
    before and keeps it.
    """

    def __init__(self, p: float, schedule: int, seen: float) -> None:
        self._p, self._schedule, self._seen = p, schedule, seen
        self._most = len(HALVED_AT)
        self._looked, self._moved = np.zeros((2, len(HALVED_AT) + 1), np.int64)

    def halvings(self, iteration: int) -> int:
        """How often ``p`` is halved for the window of ``iteration``."""
        due = int(np.searchsorted(HALVED_AT, iteration / self._schedule * SCHEDULE))
        return min(due, self._most)

    def share(self, iteration: int) -> float:
        """Of the image that the window of ``iteration`` covers."""
        return self._p * 0.5 ** float(self.halvings(iteration))

    def observe(self, iteration: int, moved: BoolArray) -> None:
        """Takes in which of the windows of ``iteration`` changed the margin, bool [k]."""
        size = self.halvings(iteration)
        self._looked[size] += len(moved)
        self._moved[size] += int(moved.sum())
        enough = self._looked[size] >= LOOKS
        if size and enough and self._moved[size] < self._seen * self._looked[size]:
            self._most = size - 1
