"""How large Square's windows are: the paper's schedule, down to what a quantized score notices."""

from __future__ import annotations

import numpy as np

HALVED_AT = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
"""Iterations at which the share of the image that a window covers is halved (the paper's)."""

SCHEDULE = 10_000
"""Iterations that the paper made its schedule for; a shorter search is given it in proportion."""

LEAST = 0.02
"""Share of the image that a window covers at least, unless it began with less.

An int8 score has steps. A window of a pixel moves it by less than one on an image of 32 x 32, and a
search that changes single pixels sees nothing of what it does. It is a window of 5 x 5 there, and
one of a single pixel on an image of 8 x 8.
"""


def share(iteration: int, p: float, schedule: int, least: float) -> float:
    """Of the image that the window of ``iteration`` covers: ``p`` at first, halved by the schedule.

    ``schedule`` is the number of iterations that ``HALVED_AT`` is stretched to.
    """
    halvings = int(np.searchsorted(HALVED_AT, iteration / schedule * SCHEDULE))
    return max(p * 0.5**halvings, min(p, least))
