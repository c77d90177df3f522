"""From the ladder's int8 lattice to the integers of a model's input tensor: one fixed rule for
every rung.

All networks of a ladder are fed the same 256 levels, or their rungs could not be compared. A model
with an int16 input gets each level's real value, rounded to the nearest point of its own grid (ties
away from zero) and saturated. The rule is exact rational arithmetic over the two scales; 256
entries hold it, and the chip is sent what it gives.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import Int8Array, IntArray, TensorSpec


def lattice_of(grid: TensorSpec, signed: bool = False) -> TensorSpec:
    """The int8 lattice for a model whose input is ``grid``: ``grid`` itself where it is int8.

    For an int16 input, which is symmetric around 0, the 256 levels span [0, ``grid.high``] (zero
    point -128: pixels and other data that are never negative), or, where ``signed``,
    [-``grid.high``, ``grid.high``] (zero point 0; the lowest level, one step below, saturates).
    """
    if grid.dtype == "int8":
        return grid
    steps, zero_point = (127, 0) if signed else (255, -128)
    return TensorSpec(grid.shape, grid.high / steps, zero_point)


_FLOAT32 = 2.0**-22
"""A file holds scales in float32: two that differ by less are one."""


@lru_cache(maxsize=64)
def table(lattice: TensorSpec, grid: TensorSpec) -> IntArray:
    """What the levels -128..127 are on ``grid``: [256] in ``grid.dtype``, read-only.

    Raises UsageError.

    An int8 grid must be the lattice itself: int8 to int8 would be a second rounding that no chip
    makes.
    """
    if lattice.dtype != "int8" or lattice.shape != grid.shape:
        raise UsageError(f"the ladder's lattice {lattice} does not fit an input of {grid}")
    same = lattice.zero_point == grid.zero_point and math.isclose(
        lattice.scale, grid.scale, rel_tol=_FLOAT32
    )
    if grid.dtype == "int8" and not same:
        raise UsageError(f"the ladder's lattice {lattice} is not the int8 model's own input {grid}")
    ratio = Fraction(lattice.scale) / Fraction(grid.scale)
    ends = np.iinfo(grid.dtype)
    points = (
        _nearest((q - lattice.zero_point) * ratio) + grid.zero_point for q in range(-128, 128)
    )
    out = np.array(
        [min(max(p, ends.min), ends.max) for p in points], np.dtype(grid.dtype).newbyteorder("<")
    )
    out.setflags(write=False)
    return out


def onto(q: Int8Array, lattice: TensorSpec, grid: TensorSpec) -> IntArray:
    """Levels ``q`` int8 [n, *shape] as the model's input integers, [n, *shape] in ``grid.dtype``,
    little-endian.
    """
    points: IntArray = table(lattice, grid)[q.astype(np.int16) + 128]
    return points


def _nearest(x: Fraction) -> int:
    """Ties away from zero."""
    size = int(abs(x) + Fraction(1, 2))
    return size if x >= 0 else -size
