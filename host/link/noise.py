"""The share of a line's bytes that is damaged, estimated from the frames that arrived whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

MEMORY = 1024
"""About so many frames are remembered: a line may get better or worse."""
MOST_WEIGHT = 100.0
K = TypeVar("K")
Fate = tuple[int, bool, float]
"""Bytes of a frame, whether it arrived whole, and for how many such frames it stands."""


@dataclass
class Noise:
    """What became of frames from the board, and of those to it as far as the board said so."""

    received: Counter[tuple[int, bool]] = field(default_factory=Counter)
    """Frames by (bytes, whole)."""
    sent: Counter[tuple[int, bool, int]] = field(default_factory=Counter)
    """Frames by (bytes, whole, bytes of the frame that told)."""

    def hear(self, size: int, whole: bool) -> None:
        """A frame of ``size`` bytes came from the board."""
        self.received[size, whole] += 1
        _forget(self.received)

    def told(self, size: int, whole: bool, by: int) -> None:
        """An intact frame of ``by`` bytes says whether one of ``size`` bytes reached the board."""
        self.sent[size, whole, by] += 1
        _forget(self.sent)

    def share(self) -> float:
        """Share of damaged bytes in the worse direction, 0 to 1.

        Long answers that tell of success are lost more often than short ones that tell of failure;
        each stands for as many as the way back lets one of its length through. Where no answer came
        over a bad way back, that says nothing of the way there.
        """
        back = damaged_share((size, whole, n) for (size, whole), n in self.received.items())
        if back and not any(whole for _, whole, _ in self.sent):
            return back
        there = damaged_share(
            (size, whole, n * min((1 - back) ** -by, MOST_WEIGHT) if back < 1 else n)
            for (size, whole, by), n in self.sent.items()
        )
        return max(back, there)


def damaged_share(fates: Iterable[Fate]) -> float:
    """The most likely share p of damaged bytes; 0 where no frame was.

    A frame of n bytes is whole with (1 - p)^n. The likelihood's derivative falls with p: bisection.
    """
    known = [(size, whole, n) for size, whole, n in fates if size > 0]
    if all(whole for _, whole, _ in known):
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(40):
        p = (low + high) / 2
        slope = 0.0
        for size, whole, n in known:
            survives = (1 - p) ** size
            # Times 1 - p, which changes no sign.
            if whole:
                slope -= n * size
            else:
                slope += n * size * survives / (1 - survives) if survives < 1 else n / p
        low, high = (p, high) if slope > 0 else (low, p)
    return (low + high) / 2


def _forget(frames: Counter[K]) -> None:
    """Halves what is remembered once it is too much."""
    if frames.total() > MEMORY:
        for key in list(frames):
            frames[key] //= 2
            if not frames[key]:
                del frames[key]
