"""A model of accuracy against the attack's strength, and where two widths change places.

The accuracy falls as a logistic in the logarithm of eps, from the clean one to a floor:
``floor + (clean - floor) / (1 + (eps / eps50) ** slope)``. The paper's own formula was not to be
had; this is the least that has its three properties, a half-way strength, a slope and a floor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from tinyrobust.core.stats import paired_difference
from tinyrobust.core.types import BoolArray
from tinyrobust.studies.pages import lost_and_gained

Floats = NDArray[np.float64]
DRAWS = 200
"""Bootstrap samples behind an interval."""
_START, _LOW, _HIGH = (0.05, 2.0, 0.0), (1e-4, 0.1, 0.0), (1.0, 30.0, 0.5)


@dataclass(frozen=True)
class Estimate:
    """A fitted number with its 95 % bootstrap percentile interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """The fitted model: ``eps50`` in multiples of the input range, ``floor`` a share."""

    eps50: Estimate
    slope: Estimate
    floor: Estimate


def falling(eps: Floats, clean: float, eps50: float, slope: float, floor: float) -> Floats:
    """The model's accuracy at ``eps`` > 0, float64 of its shape."""
    share: Floats = floor + (clean - floor) / (1 + (eps / eps50) ** slope)
    return share


def fit(eps: Floats, clean: BoolArray, standing: BoolArray, seed: int = 0) -> Curve:
    """The model of ``standing`` bool [n, len(eps)] and ``clean`` bool [n].

    Its intervals are over resampled samples.
    """
    rng = np.random.default_rng(seed)
    best = _fitted(eps, clean, standing)
    draws = np.stack(
        [
            _fitted(eps, clean[rows], standing[rows])
            for rows in rng.integers(0, len(clean), (DRAWS, len(clean)))
        ]
    )
    low, high = np.quantile(draws, (0.025, 0.975), axis=0)
    numbers = zip(best, low, high, strict=True)
    return Curve(*(Estimate(float(a), float(b), float(c)) for a, b, c in numbers))


def _fitted(eps: Floats, clean: BoolArray, standing: BoolArray) -> Floats:
    top = float(clean.mean())

    def model(at: Floats, eps50: float, slope: float, floor: float) -> Floats:
        return falling(at, top, eps50, slope, floor)

    found, _ = curve_fit(model, eps, standing.mean(axis=0), p0=_START, bounds=(_LOW, _HIGH))
    return np.asarray(found, np.float64)


@dataclass(frozen=True)
class Crossing:
    """At which strengths one width is surely better than another, and at which surely worse."""

    better: tuple[int, ...]
    worse: tuple[int, ...]

    @property
    def crosses(self) -> bool:
        """Whether the order depends on the strength."""
        return bool(self.better) and bool(self.worse)


def crossing(levels: tuple[int, ...], one: BoolArray, other: BoolArray) -> Crossing:
    """``one`` against ``other``, bool [n, len(levels)] on the same samples.

    Sure is a difference whose paired 95 % interval does not hold 0.
    """
    better, worse = [], []
    for at, level in enumerate(levels):
        lost, gained = lost_and_gained(other[:, at], one[:, at])
        low, high = paired_difference(lost, gained, len(one))
        if low > 0:
            better.append(level)
        elif high < 0:
            worse.append(level)
    return Crossing(tuple(better), tuple(worse))
