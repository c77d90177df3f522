"""From levels of the int8 input grid to a model's input tensor: one fixed rule for every rung.

All networks of a ladder are fed the same 256 levels, or their rungs could not be compared. A model
with an int16 input gets each level's real value, rounded to the nearest point of its own tensor
(ties away from zero) and saturated. The rule is exact rational arithmetic over the two scales; 256
entries hold it, and the chip is sent what it gives.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import Int8Array, IntArray, TensorSpec

_FLOAT32 = 2.0**-22
"""A file holds scales in float32: two that differ by less are one."""


def input_grid(model_input: TensorSpec, signed: bool = False) -> TensorSpec:
    """The 256 levels that a model with this input is fed; an int8 input is its own grid.

    For an int16 input, which is symmetric around 0, the levels span [0, ``model_input.high``] (zero
    point -128: pixels and other data that are never negative), or, where ``signed``,
    [-``model_input.high``, ``model_input.high``] (zero point 0; the lowest level, one step below,
    saturates).
    """
    if model_input.dtype == "int8":
        return model_input
    steps, zero_point = (127, 0) if signed else (255, -128)
    return TensorSpec(model_input.shape, model_input.high / steps, zero_point)


@lru_cache(maxsize=64)
def table(grid: TensorSpec, model_input: TensorSpec) -> IntArray:
    """What the levels -128..127 of ``grid`` are in ``model_input``: [256] in its dtype, read-only.

    Raises UsageError on shapes that differ, and on an int8 input that is not ``grid`` itself: int8
    to int8 would be a second rounding that no chip makes.
    """
    if grid.dtype != "int8" or grid.shape != model_input.shape:
        raise UsageError(f"the ladder's input grid {grid} does not fit an input of {model_input}")
    same = grid.zero_point == model_input.zero_point and math.isclose(
        grid.scale, model_input.scale, rel_tol=_FLOAT32
    )
    if model_input.dtype == "int8" and not same:
        raise UsageError(
            f"the ladder's input grid {grid} is not the int8 model's own input {model_input}"
        )
    ratio = Fraction(grid.scale) / Fraction(model_input.scale)
    ends = np.iinfo(model_input.dtype)
    points = (
        _nearest((q - grid.zero_point) * ratio) + model_input.zero_point for q in range(-128, 128)
    )
    dtype = np.dtype(model_input.dtype).newbyteorder("<")
    out = np.array([min(max(p, ends.min), ends.max) for p in points], dtype)
    out.setflags(write=False)
    return out


def to_model_input(levels: Int8Array, grid: TensorSpec, model_input: TensorSpec) -> IntArray:
    """Levels of ``grid``, int8 [n, *shape], as the integers that the model's input tensor takes.

    They are [n, *shape] in ``model_input.dtype``, little-endian. Raises UsageError as ``table``.
    """
    points: IntArray = table(grid, model_input)[levels.astype(np.int16) + 128]
    return points


def _nearest(x: Fraction) -> int:
    """Rounds ties away from zero."""
    size = int(abs(x) + Fraction(1, 2))
    return size if x >= 0 else -size
