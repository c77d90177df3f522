"""Attacks side by side on one source: while it answers the one, the other thinks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tinyrobust.core.types import Interleaving, Predictor

T = TypeVar("T")

LANES = 2
"""A batch of an attack that only asks is made in so many parts, each with a seed of its own.

So a board that answers one part has the questions of the other before it is done. Every source is
asked in the same parts, whether it can make use of that or not: one attack gives the same bytes on
every rung that gives the same answers.
"""


def side_by_side(source: Predictor, tasks: Sequence[Callable[[], T]]) -> list[T]:
    """What ``tasks``, each of which asks ``source``, return, in their order.

    They take turns where the source can do that, else one follows the other.
    """
    if isinstance(source, Interleaving):
        return source.interleave(tasks)
    return [task() for task in tasks]
