"""Where tensors live, so that those alive together never overlap.

Offsets are given greedily by size over lifetimes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Buffer:
    """``size`` bytes, needed from operator step ``first`` to step ``last``, both included."""

    size: int
    first: int
    last: int


@dataclass(frozen=True)
class Placement:
    """Byte offset of every buffer, in the order given, and the bytes the arena needs."""

    offsets: tuple[int, ...]
    total: int


def place(buffers: Sequence[Buffer], align: int) -> Placement:
    """Places the largest first, each in the lowest gap among those alive with it.

    This is greedy by size of Pisarchyk and Lee 2020 (arXiv:2001.03288).
    """
    order = sorted(range(len(buffers)), key=lambda i: (-buffers[i].size, buffers[i].first, i))
    offsets = [0] * len(buffers)
    placed: list[int] = []
    total = 0
    for i in order:
        alive = sorted(
            (j for j in placed if _together(buffers[i], buffers[j])), key=lambda j: offsets[j]
        )
        at = 0
        for j in alive:
            if offsets[j] - at >= buffers[i].size:
                break
            at = max(at, _up(offsets[j] + buffers[j].size, align))
        offsets[i] = at
        placed.append(i)
        total = max(total, _up(at + buffers[i].size, align))
    return Placement(tuple(offsets), total)


def _together(a: Buffer, b: Buffer) -> bool:
    return a.first <= b.last and b.first <= a.last


def _up(value: int, align: int) -> int:
    return -(-value // align) * align
