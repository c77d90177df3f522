"""A Config to the cells of its sweep: every attack at every budget, from every source, with every seed."""

from __future__ import annotations

from collections.abc import Sequence

from attacks.base import UNBOUNDED, find
from attacks.problem import Needs
from host.config import Config
from host.types import Cell, UsageError

NO_SOURCE = "-"
CLEAN = "clean"


def check_attacks(config: Config) -> None:
    """Raises UsageError on an attack that does not exist, before anything slow begins."""
    for name in config.attacks:
        find(name)


def sources(config: Config, differentiable: Sequence[str]) -> tuple[str, ...]:
    """The rungs to make gradient attacks on, out of the ``differentiable`` ones. Raises UsageError on one missing.

    By default the float baseline and the quantized network: ``qat``, or the ``twin`` of a .tflite that came without it.
    """
    for name in config.sources:
        if name not in differentiable:
            there = ", ".join(differentiable) or "none"
            raise UsageError(f"source {name!r}: this model's rungs with gradients are: {there}")
    if config.sources:
        return config.sources
    quantized = "qat" if "qat" in differentiable else "twin"
    return tuple(name for name in ("float32", quantized) if name in differentiable)


def cells(config: Config, differentiable: Sequence[str]) -> tuple[Cell, ...]:
    """All cells in order. The clean set always leads: every figure is read against it."""
    check_attacks(config)
    out = [Cell(CLEAN, NO_SOURCE, 0.0)]
    for name in config.attacks:
        if name == CLEAN:
            continue
        from_rungs: tuple[str, ...] = (NO_SOURCE,)
        info = find(name)
        budgets = (UNBOUNDED,) if info.minimises else info.eps or config.eps
        if info.needs is not Needs.NOTHING:
            from_rungs = sources(config, differentiable)
            if not from_rungs:
                raise UsageError(f"{name} needs a rung with gradients and this model has none: give its --float M.h5")
        out += [Cell(name, rung, eps, seed) for rung in from_rungs for seed in config.seeds for eps in budgets]
    return tuple(out)
