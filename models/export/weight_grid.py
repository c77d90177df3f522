"""Quantized float weights as int8 and a scale per channel, carried exactly.

The step is the largest power of two that makes a channel's weights whole numbers, halved while they
still fit into int8. The halving makes the accumulator finer than the weights need: biases fall on
it, and TFLite's first rounding (of two) then never meets an odd number, so the requantization
rounds once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SMALLEST_EXPONENT = -40
_TOLERANCE = 1e-5
"""Straight-through quantizers return ``x + (q - x)``, a few float32 roundings away from q; in
steps.
"""


@dataclass(frozen=True)
class WeightGrid:
    """Weights as integers and one scale per channel: ``weights[c] = ints[c] * scales[c]``.

    ``ints`` int8 [channels, n], ``scales`` float64 [channels], all above 0.
    """

    ints: NDArray[np.int8]
    scales: NDArray[np.float64]

    def scaled(self, factor: NDArray[np.float64]) -> WeightGrid:
        """The grid with each channel times ``factor[c]``, as folding a batch norm does it.

        A factor's sign goes into the integers.

        A channel whose factor is 0 becomes zeros and keeps its scale.
        """
        ints = self.ints * np.sign(factor).astype(np.int64)[:, None]
        if ints.max(initial=0) > 127:
            raise ValueError(
                "a batch norm turns a weight of -128 into 128; make its quantizer symmetric"
            )
        return WeightGrid(
            ints.astype(np.int8), self.scales * np.where(factor == 0, 1, np.abs(factor))
        )


def weight_grid(weights: NDArray[np.floating], factor: NDArray[np.float64]) -> WeightGrid:
    """The integers and scales of ``weights`` [channels, n].

    ``weights[c] / factor[c]`` lie on some power-of-two grid of at most 8 bits.

    Raises ValueError with the channel where they do not. A channel of zeros takes the smallest
    scale of the others.
    """
    base = weights.astype(np.float64) / factor[:, None]
    ints = np.zeros(base.shape, np.int8)
    exponents = np.full(len(base), np.iinfo(np.int64).max)
    for c, row in enumerate(base):
        if row.any():
            ints[c], exponents[c] = _channel(row, c)
    used = exponents != np.iinfo(np.int64).max
    exponents[~used] = exponents[used].min() if used.any() else 0
    return WeightGrid(ints, np.ldexp(np.abs(factor), exponents))


def _channel(row: NDArray[np.float64], channel: int) -> tuple[NDArray[np.int8], int]:
    largest = float(np.abs(row).max())
    exponent = int(np.floor(np.log2(largest) + _TOLERANCE))
    while np.abs(row / 2.0**exponent - np.rint(row / 2.0**exponent)).max() > _TOLERANCE:
        exponent -= 1
        if largest / 2.0**exponent > 128 or exponent < _SMALLEST_EXPONENT:
            raise ValueError(
                f"the weights of channel {channel} lie on no power-of-two grid of 8 bits or less"
            )
    ints = np.rint(row / 2.0**exponent)
    if ints.max() > 127:
        raise ValueError(f"the weights of channel {channel} reach 128 steps, int8 ends at 127")
    while np.abs(ints).max() * 2 <= 127:
        ints, exponent = ints * 2, exponent - 1
    return ints.astype(np.int8), exponent
