"""Branch and bound over input levels: a box that cannot be decided is halved until its time is up.

The element that is halved is the one whose width the closest decision's bound feels most. On the
way the corner that this bound points to is asked of the network itself: a prediction that changes
there ends the search, as a counterexample.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np

from tinyrobust.core.types import Int64Array, IntArray
from tinyrobust.models.bounds.certifier import Bounds, Certifier, Method

BOXES = 16
"""Boxes bounded at a time."""
_MOST_BOXES = 1 << 16
"""Boxes kept: a search that needs more is given up, as one whose time is up."""


class Status(str, Enum):
    """What is known of a sample and its box."""

    CERTIFIED = "certified"
    """Every point of the box gives the label."""
    BROKEN = "broken"
    """A point of the box was found that gives another class."""
    UNDECIDED = "undecided"
    WRONG = "wrong"
    """The sample itself is not given its label."""


@dataclass(frozen=True)
class Search:
    """How a search ended, how many boxes it bounded, and the counterexample, if there is one."""

    status: Status
    boxes: int
    found: IntArray | None = None
    """int8 [*shape]."""


def corners(low: IntArray, high: IntArray, bounds: Bounds) -> IntArray:
    """The corner of each box, int8 [n, *shape], at which its closest decision is lowest."""
    up = bounds.influence.reshape(low.shape) < 0
    return np.where(up, high, low)


def search(
    certifier: Certifier,
    low: IntArray,
    high: IntArray,
    label: int,
    method: Method,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Search:
    """Decides the box from ``low`` to ``high``, int8 [*shape], within about ``seconds``."""
    end = clock() + seconds
    open_: list[tuple[IntArray, IntArray]] = [(low, high)]
    bounded = 0
    while open_:
        if clock() >= end or len(open_) > _MOST_BOXES:
            return Search(Status.UNDECIDED, bounded)
        # The newest first: what is kept stays few.
        taken, open_ = open_[-BOXES:], open_[:-BOXES]
        lows, highs = (np.stack(ends) for ends in zip(*taken, strict=True))
        labels: Int64Array = np.full(len(taken), label, np.int64)
        bounds = certifier.bound(lows, highs, labels, method)
        bounded += len(taken)
        left = np.flatnonzero(~bounds.proven)
        if not len(left):
            continue
        asked = corners(lows, highs, bounds)[left]
        turned = np.flatnonzero(certifier.predict(asked) != label)
        if len(turned):
            return Search(Status.BROKEN, bounded, asked[turned[0]])
        for i in left:
            halves = _halved(lows[i], highs[i], bounds, int(i))
            if halves is None:  # one point, and no strict decision: a tie
                return Search(Status.UNDECIDED, bounded)
            open_ += halves
    return Search(Status.CERTIFIED, bounded)


def _halved(
    low: IntArray, high: IntArray, bounds: Bounds, i: int
) -> list[tuple[IntArray, IntArray]] | None:
    width = high.astype(np.int16) - low
    if not width.any():
        return None
    felt = np.abs(bounds.influence[i]).reshape(low.shape) * width
    at = np.unravel_index(np.argmax(felt if felt.any() else width), low.shape)
    middle = (int(low[at]) + int(high[at])) // 2
    below, above = high.copy(), low.copy()
    below[at], above[at] = middle, middle + 1
    return [(low, below), (above, high)]
