"""The input grid: the levels of each element, the only inputs a chip can be given.

256 of them on an int8 input; on the own points of an int16 input as many as its
``TensorSpec.steps`` says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyrobust.attacks.base.problem import Norm
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import FloatArray, Int64Array, IntArray, TensorSpec

STEPS = 255
"""Steps between the lowest and the highest point of an int8 grid."""

_TOLERANCE = 1e-3
"""Float32 error allowed, in steps, when a real value is meant to lie on a point of an int8 grid."""


def levels(eps: float, steps: int = STEPS) -> int:
    """Whole levels inside an Linf budget of ``eps``, on a grid of so many ``steps``.

    ``eps`` is a fraction of the input range, ``high - low``: of 255 steps ``8/255`` is 8 levels,
    ``0.005`` is 1, ``0.001`` is 0. Raises UsageError outside [0, 1].
    """
    _check(eps)
    return math.floor(eps * steps + 1e-6)


def rounded_levels(eps: float, steps: int = STEPS) -> int:
    """As ``levels``, but the nearest whole number, which may be more than the budget.

    So far an element moves that is itself rounded to its nearest level.
    """
    _check(eps)
    return math.floor(eps * steps + 0.5 + 1e-6)


def _check(eps: float) -> None:
    if not 0.0 <= eps <= 1.0:
        raise UsageError(
            f"eps {eps!r}: the budget is a fraction of the input range, give a number from 0 to 1"
        )


def tolerance(spec: TensorSpec) -> float:
    """Float32 error allowed, in steps, when a real value is meant to lie on a point of ``spec``.

    Floats are spaced by the value, levels by the grid: the finer the grid, the more levels.
    """
    return _slack(spec.steps)


def _slack(steps: int) -> float:
    return max(_TOLERANCE, steps * 2.0**-20)


def round_inward(
    q_clean: IntArray, real_adv: NDArray[np.floating], spec: TensorSpec, levels: int
) -> IntArray:
    """Brings real adversarial inputs to the grid without adding to the perturbation.

    Returns levels of ``q_clean``'s shape and dtype, at most ``levels`` from it.

    ``real_adv`` has the units of ``spec.dequantize``. A value between two grid points goes to
    the one nearer the clean input, so that rounding never adds to the perturbation. Raises
    ValueError on NaN or infinity.
    """
    exact = steps(q_clean, real_adv, spec)
    whole = np.trunc(exact + np.copysign(tolerance(spec), exact))
    return _moved(q_clean, whole, levels, spec)


def round_nearest(
    q_clean: IntArray, real_adv: NDArray[np.floating], spec: TensorSpec, levels: int
) -> IntArray:
    """As ``round_inward``, but to the nearest grid point.

    It may be farther from the clean input than ``real_adv``.
    """
    return _moved(q_clean, np.round(steps(q_clean, real_adv, spec)), levels, spec)


def round_outward(
    q_clean: IntArray, real_adv: NDArray[np.floating], spec: TensorSpec, levels: int
) -> IntArray:
    """As ``round_inward``, but to the grid point farther from the clean input."""
    exact = steps(q_clean, real_adv, spec)
    whole = np.copysign(np.ceil(np.abs(exact) - tolerance(spec)), exact)
    return _moved(q_clean, whole, levels, spec)


def round_at_random(
    q_clean: IntArray,
    real_adv: NDArray[np.floating],
    spec: TensorSpec,
    levels: int,
    rng: np.random.Generator,
) -> IntArray:
    """As ``round_inward``, but up or down at random, so that the mean is ``real_adv``."""
    exact, slack = steps(q_clean, real_adv, spec), tolerance(spec)
    low = np.floor(exact + slack)
    return _moved(q_clean, low + (rng.random(exact.shape) < exact - low - slack), levels, spec)


def steps(
    q_clean: IntArray, real_adv: NDArray[np.floating], spec: TensorSpec
) -> NDArray[np.float64]:
    """The perturbation in steps of the grid, not rounded, of ``q_clean``'s shape.

    Raises ValueError on NaN or infinity.
    """
    if real_adv.shape != q_clean.shape:
        raise ValueError(
            f"adversarial inputs of shape {real_adv.shape} for clean ones of {q_clean.shape}"
        )
    if not np.isfinite(real_adv).all():
        raise ValueError(
            "the attack returned NaN or infinite inputs: check the source model's logits"
        )
    exact: NDArray[np.float64] = (
        real_adv.astype(np.float64) - spec.dequantize(q_clean)
    ) / spec.scale
    return exact


def _moved(
    q_clean: IntArray, whole: NDArray[np.float64], levels: int, spec: TensorSpec
) -> IntArray:
    moved = q_clean.astype(np.float64) + np.clip(whole, -levels, levels)
    snapped: IntArray = np.clip(moved, spec.bottom, spec.top).astype(q_clean.dtype)
    return snapped


def linf(q_clean: IntArray, q_adv: IntArray) -> Int64Array:
    """Largest change of each sample in levels, int64 [n]."""
    change = np.abs(q_adv.astype(np.int64) - q_clean.astype(np.int64))
    largest: Int64Array = change.max(axis=tuple(range(1, change.ndim)), initial=0)
    return largest


def change(q_clean: IntArray, q_adv: IntArray) -> NDArray[np.float64]:
    """The perturbation that reached the grid, in steps, of the same shape."""
    moved: NDArray[np.float64] = q_adv.astype(np.float64) - q_clean
    return moved


def size(moved: NDArray[np.floating], norm: Norm, steps: int = STEPS) -> NDArray[np.float64]:
    """Size of perturbations given in levels [n, ...] of a grid of so many ``steps``: [n].

    Multiples of the input range; for L0 the number of elements.
    """
    flat = np.abs(moved.astype(np.float64)).reshape(len(moved), math.prod(moved.shape[1:]))
    found: NDArray[np.float64]
    if norm is Norm.L0:
        found = np.sum(flat > _slack(steps), axis=1).astype(np.float64)
    elif norm is Norm.L1:
        found = flat.sum(axis=1) / steps
    elif norm is Norm.L2:
        found = np.sqrt((flat**2).sum(axis=1)) / steps
    else:
        found = flat.max(axis=1, initial=0.0) / steps
    return found


@dataclass(frozen=True)
class Sizes:
    """How far each sample was moved, in every norm; each [n].

    ``linf`` int64 in levels, ``l2`` and ``l1`` float32 in multiples of the input range, ``l0``
    int64 elements.
    """

    linf: Int64Array
    l2: FloatArray
    l1: FloatArray
    l0: Int64Array

    def of(self, norm: Norm, steps: int) -> NDArray[np.float64]:
        """As ``size``, for a grid of so many ``steps``: [n]."""
        found = {Norm.LINF: self.linf / steps, Norm.L2: self.l2, Norm.L1: self.l1, Norm.L0: self.l0}
        return np.asarray(found[norm], np.float64)


def sizes(q_clean: IntArray, q_adv: IntArray, steps: int = STEPS) -> Sizes:
    """The perturbation of ``q_adv`` [n, ...] from ``q_clean``, in every norm.

    Both are levels of a grid of so many ``steps``.
    """
    moved = change(q_clean, q_adv)
    return Sizes(
        linf(q_clean, q_adv),
        size(moved, Norm.L2, steps).astype(np.float32),
        size(moved, Norm.L1, steps).astype(np.float32),
        size(moved, Norm.L0, steps).astype(np.int64),
    )
