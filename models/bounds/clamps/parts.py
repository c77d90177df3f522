"""Parts of a box: what a search assumes of activations, and where to go on from there.

A part holds some activations to fewer levels than the box allows them: an activation whose clamp
may or may not be reached is at its clamp in one part and beside it in the other. Every point of the
box lies in one of the parts, so a bound that holds in all of them holds in the box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyrobust.models.bounds.lines.affine import Affine

Float64Array = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """One part of a box, by the S activations that a search may hold."""

    low: NDArray[np.int32]
    high: NDArray[np.int32]
    """Levels of the activations, int32 [S], both ends included."""
    parameters: NDArray[np.float32]
    """Slopes and multipliers that served the box it was cut from, float32 [P]."""


@dataclass(frozen=True)
class Activations:
    """What is fixed about the S activations that a search may hold, [S] each."""

    low: NDArray[np.int32]
    high: NDArray[np.int32]
    """The clamp."""
    error: Float64Array
    """Of rounding."""

    @classmethod
    def of(cls, operators: Sequence[Affine]) -> Activations:
        """Those of ``operators``, one after another."""
        size = [len(op.error) for op in operators]
        return cls(
            np.repeat([int(op.low) for op in operators], size).astype(np.int32),
            np.repeat([int(op.high) for op in operators], size).astype(np.int32),
            np.concatenate([op.error for op in operators]),
        )

    def cut(self, part: Part, at: int, z: tuple[float, float]) -> tuple[Part, Part]:
        """``part`` in two, by the activation ``at``, which has more than one level in it.

        At the clamp that ``z`` (least, largest) reaches farther beyond, else in the middle.
        """
        low, high = int(part.low[at]), int(part.high[at])
        below = self.low[at] - (z[0] - self.error[at]) if low == self.low[at] else 0.0
        above = (z[1] + self.error[at]) - self.high[at] if high == self.high[at] else 0.0
        last = (low + high) // 2
        if max(below, above) > 0:
            last = low if below >= above else high - 1
        lower, upper = part.high.copy(), part.low.copy()
        lower[at], upper[at] = last, last + 1
        return (
            Part(part.low, lower, part.parameters),
            Part(upper, part.high, part.parameters),
        )
