"""Shares and paired differences in the words of the studies' tables, each with its 95 %
interval.
"""

from __future__ import annotations

from tinyrobust.core.stats import paired_difference, wilson
from tinyrobust.core.types import BoolArray


def share(right: BoolArray) -> str:
    """In %, Wilson's interval; ``right`` [n], n at least 1."""
    hits, n = int(right.sum()), len(right)
    low, high = wilson(hits, n)
    return f"{100 * hits / n:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def difference(lost: int, gained: int, n: int) -> str:
    """In points, of ``n`` pairs of which so many went wrong and so many right."""
    low, high = paired_difference(lost, gained, n)
    return f"{100 * (gained - lost) / n:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
