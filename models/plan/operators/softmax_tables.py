"""The two tables of SOFTMAX on int16, as TFLite Micro fills them.

It does so in ``LUTPopulateInt16`` and ``softmax_common.cc``.

512 intervals and their end. Each entry is nudged by half the error that interpolation would have in
the middle of its interval. All in float32, one operation at a time, because one unit in the last
place can move an entry.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.abi.plan import TABLE_ENTRIES

Function = Callable[[NDArray[np.float32]], NDArray[np.float32]]
_INTERVALS = TABLE_ENTRIES - 1
_RANGE = np.float32(65535)
_LOWEST, _HIGHEST = np.float32(-32768), np.float32(32767)


@lru_cache(maxsize=1)
def exponential() -> NDArray[np.int16]:
    """exp(x) for x from -10 to 0, in Q0.15: int16 [TABLE_ENTRIES]."""
    return _filled(
        np.float32(10) / _RANGE, 32767, lambda x: np.exp(x.astype(np.float64)).astype(np.float32)
    )


@lru_cache(maxsize=1)
def reciprocal() -> NDArray[np.int16]:
    """1 / (1 + x) for x from 0 to 1, in Q0.15: int16 [TABLE_ENTRIES]."""
    return _filled(np.float32(1) / _RANGE, -32768, lambda x: np.float32(1) / (np.float32(1) + x))


def _filled(scale: np.float32, zero_point: int, function: Function) -> NDArray[np.int16]:
    low, high = (scale * np.float32(end - zero_point) for end in (-32768, 32767))
    step = (high - low) / np.float32(_INTERVALS)
    unit = np.float32(2) / _RANGE
    levels = np.float32(65536) / (unit * _HIGHEST - unit * _LOWEST)
    start = np.arange(TABLE_ENTRIES, dtype=np.float32) * step + low
    at = function(start) * levels
    middle = _round(function(start[:-1] + step / np.float32(2)) * levels)
    error = _round((at[1:] + _round(at[:-1])) / np.float32(2)) - middle
    entries = np.append(
        _round(at[:-1]) - _round(error / np.float32(2)), _round(function(np.array([high])) * levels)
    )
    out = np.clip(entries, _LOWEST, _HIGHEST).astype(np.int16)
    out.setflags(write=False)
    return out


def _round(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Ties away from zero."""
    rounded: NDArray[np.float32] = (np.sign(x) * np.floor(np.abs(x) + np.float32(0.5))).astype(
        np.float32
    )
    return rounded
