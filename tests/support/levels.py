"""Inputs drawn at random, for tests that do not care what they show."""

from __future__ import annotations

import numpy as np

from tinyrobust.core.types import Int8Array


def levels(
    n: int, shape: tuple[int, ...], seed: int = 0, low: int = -128, high: int = 127
) -> Int8Array:
    """int8 [n, *shape], each value in ``low`` .. ``high`` alike.

    The board in memory negates what it is sent, so its inputs begin at -127.
    """
    return np.random.default_rng(seed).integers(low, high + 1, (n, *shape), np.int8)
