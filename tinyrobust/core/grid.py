"""From levels of a ladder's input grid to a model's input tensor: one fixed rule for every rung.

All networks of a ladder are fed the same levels, or their rungs could not be compared. As a rule
these are 256: a model with an int16 input gets each level's real value, rounded to the nearest
point of its own tensor (ties away from zero) and saturated. The rule is exact rational arithmetic
over the two scales; a table holds it, and the chip is sent what it gives. ``own_grid`` is the
other choice: every point of an int16 input is a level.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import IntArray, TensorSpec

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


def own_grid(grid: TensorSpec, model_input: TensorSpec) -> TensorSpec:
    """The points of an int16 input between the ends of ``grid``, its 256 levels, as a grid.

    So a budget is the same multiple of the same range on both. An int8 input is its own grid.
    """
    if model_input.dtype == "int8":
        return grid
    ends = table(grid, model_input)
    return replace(model_input, shape=grid.shape, lowest=int(ends[0]), highest=int(ends[-1]))


@lru_cache(maxsize=64)
def table(grid: TensorSpec, model_input: TensorSpec) -> IntArray:
    """What the levels of ``grid``, lowest first, are in ``model_input``: [steps + 1], read-only.

    In the dtype of ``model_input``, little-endian. Raises UsageError on shapes that differ, and on
    an int8 input, or a grid of int16, that are not the same tensor: a second rounding that no chip
    makes.
    """
    if grid.shape != model_input.shape:
        raise UsageError(f"the ladder's input grid {grid} does not fit an input of {model_input}")
    dtype = np.dtype(model_input.dtype).newbyteorder("<")
    same = (grid.dtype, grid.zero_point) == (model_input.dtype, model_input.zero_point)
    if same and math.isclose(grid.scale, model_input.scale, rel_tol=_FLOAT32):
        out = np.arange(grid.bottom, grid.top + 1).astype(dtype)
    elif (grid.dtype, model_input.dtype) == ("int8", "int16"):
        ratio = Fraction(grid.scale) / Fraction(model_input.scale)
        ends = np.iinfo(model_input.dtype)
        points = (
            _nearest((q - grid.zero_point) * ratio) + model_input.zero_point
            for q in range(grid.bottom, grid.top + 1)
        )
        out = np.array([min(max(p, ends.min), ends.max) for p in points], dtype)
    else:
        raise UsageError(
            f"the ladder's input grid {grid} is not the {model_input.dtype} model's own input "
            f"{model_input}"
        )
    out.setflags(write=False)
    return out


def to_model_input(levels: IntArray, grid: TensorSpec, model_input: TensorSpec) -> IntArray:
    """Levels of ``grid``, [n, *shape], as the integers that the model's input tensor takes.

    They are [n, *shape] in ``model_input.dtype``, little-endian. Raises UsageError as ``table``.
    """
    points: IntArray = table(grid, model_input)[levels.astype(np.int32) - grid.bottom]
    return points


def _nearest(x: Fraction) -> int:
    """Rounds ties away from zero."""
    size = int(abs(x) + Fraction(1, 2))
    return size if x >= 0 else -size
