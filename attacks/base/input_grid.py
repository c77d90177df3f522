"""The int8 input grid: 256 levels per element, the only inputs a chip can be given."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyrobust.attacks.base.problem import Norm
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import FloatArray, Int8Array, Int64Array, TensorSpec

STEPS = 255
"""Steps between the lowest and the highest grid point."""

_TOLERANCE = 1e-3
"""Float32 error allowed, in steps, when a real value is meant to lie on a grid point."""


def levels(eps: float) -> int:
    """Whole levels inside an Linf budget of ``eps``, a fraction of the input range.

    The range is ``high - low``.

    ``8/255`` is 8 levels, ``0.005`` is 1, ``0.001`` is 0. Raises UsageError outside [0, 1].
    """
    if not 0.0 <= eps <= 1.0:
        raise UsageError(
            f"eps {eps!r}: the budget is a fraction of the input range, give a number from 0 to 1"
        )
    return math.floor(eps * STEPS + 1e-6)


def round_inward(
    q_clean: Int8Array, real_adv: NDArray[np.floating], spec: TensorSpec, levels: int
) -> Int8Array:
    """Brings real adversarial inputs to the grid without adding to the perturbation.

    Returns int8 of ``q_clean``'s shape, at most ``levels`` from it.

    ``real_adv`` has the units of ``spec.dequantize``. A value between two grid points goes to
    the one nearer the clean input, so that rounding never adds to the perturbation. Raises
    ValueError on NaN or infinity.
    """
    return _moved(q_clean, np.trunc(_outwards(steps(q_clean, real_adv, spec))), levels)


def round_nearest(
    q_clean: Int8Array, real_adv: NDArray[np.floating], spec: TensorSpec, levels: int
) -> Int8Array:
    """As ``round_inward``, but to the nearest grid point.

    It may be farther from the clean input than ``real_adv``.
    """
    return _moved(q_clean, np.round(steps(q_clean, real_adv, spec)), levels)


def round_outward(
    q_clean: Int8Array, real_adv: NDArray[np.floating], spec: TensorSpec, levels: int
) -> Int8Array:
    """As ``round_inward``, but to the grid point farther from the clean input."""
    exact = steps(q_clean, real_adv, spec)
    return _moved(q_clean, np.copysign(np.ceil(np.abs(exact) - _TOLERANCE), exact), levels)


def round_at_random(
    q_clean: Int8Array,
    real_adv: NDArray[np.floating],
    spec: TensorSpec,
    levels: int,
    rng: np.random.Generator,
) -> Int8Array:
    """As ``round_inward``, but up or down at random, so that the mean is ``real_adv``."""
    exact = steps(q_clean, real_adv, spec)
    low = np.floor(exact + _TOLERANCE)
    return _moved(q_clean, low + (rng.random(exact.shape) < exact - low - _TOLERANCE), levels)


def steps(
    q_clean: Int8Array, real_adv: NDArray[np.floating], spec: TensorSpec
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


def _outwards(exact: NDArray[np.float64]) -> NDArray[np.float64]:
    return exact + np.copysign(_TOLERANCE, exact)


def _moved(q_clean: Int8Array, whole: NDArray[np.float64], levels: int) -> Int8Array:
    moved = q_clean.astype(np.float64) + np.clip(whole, -levels, levels)
    snapped: Int8Array = np.clip(moved, -128, 127).astype(np.int8)
    return snapped


def linf(q_clean: Int8Array, q_adv: Int8Array) -> Int64Array:
    """Largest change of each sample in levels, int64 [n]."""
    change = np.abs(q_adv.astype(np.int64) - q_clean.astype(np.int64))
    largest: Int64Array = change.max(axis=tuple(range(1, change.ndim)), initial=0)
    return largest


def change(q_clean: Int8Array, q_adv: Int8Array) -> NDArray[np.float64]:
    """The perturbation that reached the grid, in steps, of the same shape."""
    moved: NDArray[np.float64] = q_adv.astype(np.float64) - q_clean
    return moved


def size(steps: NDArray[np.floating], norm: Norm) -> NDArray[np.float64]:
    """Size of perturbations given in steps of the grid [n, ...]: [n].

    Multiples of the input range; for L0 the number of elements.
    """
    flat = np.abs(steps.astype(np.float64)).reshape(len(steps), math.prod(steps.shape[1:]))
    found: NDArray[np.float64]
    if norm is Norm.L0:
        found = np.sum(flat > _TOLERANCE, axis=1).astype(np.float64)
    elif norm is Norm.L1:
        found = flat.sum(axis=1) / STEPS
    elif norm is Norm.L2:
        found = np.sqrt((flat**2).sum(axis=1)) / STEPS
    else:
        found = flat.max(axis=1, initial=0.0) / STEPS
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


def sizes(q_clean: Int8Array, q_adv: Int8Array) -> Sizes:
    """The perturbation of ``q_adv``, int8 [n, ...] as ``q_clean``, measured once in every norm."""
    moved = change(q_clean, q_adv)
    return Sizes(
        linf(q_clean, q_adv),
        size(moved, Norm.L2).astype(np.float32),
        size(moved, Norm.L1).astype(np.float32),
        size(moved, Norm.L0).astype(np.int64),
    )
