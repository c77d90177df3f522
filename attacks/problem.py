"""What every attack is given, and what it must return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from host.types import Differentiable, FloatArray, Int8Array, Int64Array, TensorSpec


@dataclass(frozen=True)
class Problem:
    """Samples to perturb inside a budget of at least one level.

    ``q`` int8 [n, *spec.shape]; ``labels`` int64 [n], the class each prediction shall leave (never -1 for a gradient
    attack); ``eps`` Linf budget in the real units of ``spec``; ``levels`` the same in whole lattice levels; ``source``
    the rung that gives gradients, None where the attack needs none.
    """

    q: Int8Array
    labels: Int64Array
    spec: TensorSpec
    eps: float
    levels: int
    seed: int
    source: Differentiable | None

    @property
    def real(self) -> FloatArray:
        """The clean samples in real units, float32 [n, *spec.shape]."""
        return self.spec.dequantize(self.q)

    def differentiable(self) -> Differentiable:
        """The source. Raises TypeError where the caller promised none: ``make`` checks before it asks an attack."""
        if self.source is None:
            raise TypeError("a gradient attack was called without a differentiable source")
        return self.source


Attack = Callable[[Problem], FloatArray]
"""Perturbed inputs in real units, float32 [n, *shape]; ``make`` snaps them to the lattice inside the budget."""


@dataclass(frozen=True)
class AttackInfo:
    """One row of the registry. ``paper`` is where the attack was published, or what it is a control for."""

    name: str
    title: str
    needs_gradient: bool
    paper: str
    function: Attack
