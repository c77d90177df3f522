"""Found on one rung, true on another: a fast source, and a slower one that has the last word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from tinyrobust.core.types import FloatArray, Int64Array, IntArray, Prediction, Predictor


@dataclass
class Tally:
    """Of what was found on the fast source: how much the other confirmed, and how much not."""

    confirmed: int = 0
    refuted: int = 0


@runtime_checkable
class Searched(Predictor, Protocol):
    """A source that is asked in place of another, which confirms what was found."""

    @property
    def tally(self) -> Tally:
        """Counted by whoever asks for confirmation."""
        ...

    def confirm(self, q: IntArray) -> Prediction:
        """What the other one says of ``q``, as ``predict``."""
        ...


def decided(logits: FloatArray, classes: Int64Array) -> FloatArray:
    """``logits`` [n, outputs] with ``classes`` [n] as their argmax.

    Where they were not, that class is raised to the next number above the largest.
    """
    wrong = np.flatnonzero(logits.argmax(axis=1) != classes)
    out: FloatArray = logits.copy()
    out[wrong, classes[wrong]] = np.nextafter(logits[wrong].max(axis=1), np.float32(np.inf))
    return out
