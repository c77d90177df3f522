"""A Config to the cells of its sweep.

Every attack at every budget, from every source, with every seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tinyrobust.attacks.base.goals import LEAST_LIKELY, is_number
from tinyrobust.attacks.base.input_grid import STEPS
from tinyrobust.attacks.base.problem import AttackInfo, Needs, Norm, asks
from tinyrobust.attacks.make import UNBOUNDED, check_target
from tinyrobust.attacks.registry import ALL_NORMS, ATTACKS, STANDARD, STRONG, expand, find
from tinyrobust.core.cells import Cell
from tinyrobust.core.errors import UsageError, nearest
from tinyrobust.host.config.bench import Config, override
from tinyrobust.host.config.choices import BOARD, NATIVE, STUDY, TRANSFER, TWIN

_ROUNDING = 1e-6
"""Of a budget in float arithmetic."""
NO_SOURCE = "-"
ANY = "any"
CLEAN = "clean"
DEVICES = ("native", "board")
DIFFERENTIABLE = ("float32", "qat", "twin")
INTEGER = ("twin", "tflm", *DEVICES)
"""Rungs of the exported network itself."""
RUNGS = (*DIFFERENTIABLE, "tflm", *DEVICES)

_WHOLE = {STANDARD, STRONG, ALL_NORMS}
"""Groups that look at a network from every side: by transfer and on its twin."""

_REACH = {TRANSFER: ("float32", "qat"), TWIN: ("twin",), BOARD: DEVICES}
"""The rungs that each access asks for: the first of them that a run has."""


@dataclass(frozen=True)
class Subject:
    """What a run has to attack: rungs with gradients, rungs that only answer, samples."""

    differentiable: tuple[str, ...]
    queried: tuple[str, ...] = ()
    elements: int = 1
    """Elements of one input."""
    steps: int = STEPS
    """Of the input grid."""
    labelled: bool = True


def resolve(config: Config) -> Config:
    """``config`` with its groups replaced by their attacks.

    ``standard``, ``strong`` and ``all-norms`` ask for transfer and the twin unless told.

    Raises UsageError, before any work is done, on an attack or a rung that does not exist, an eps
    outside the range of an attack's norm or below one level, a gradient attack asked of rungs that
    have none, a number of queries where nothing asks, and an attack that cannot be given the
    target.
    """
    if _WHOLE & set(config.attacks) and not (config.sources or config.access):
        config = override(config, access=(TRANSFER, TWIN))
    if config.target == ANY:
        config = override(config, target="")
    config = override(config, attacks=_aimed(config) if config.target else expand(config.attacks))
    for name in config.sources:
        if name not in RUNGS:
            raise UsageError(f"source {name!r}: {nearest(name, RUNGS)}")
    if config.queries is not None and not any(asks(find(name)) for name in config.attacks):
        named = ", ".join(config.attacks)
        raise UsageError(
            f"queries {config.queries}: no attack of {named} asks for scores or decisions"
        )
    if config.search and not any(asks(find(name)) for name in config.attacks):
        named = ", ".join(config.attacks)
        raise UsageError(
            f"search {config.search}: no attack of {named} asks for scores or decisions"
        )
    asked = config.sources or tuple(rung for access in config.access for rung in _REACH[access])
    for info in map(find, config.attacks):
        if asked and not _able(info, asked):
            raise UsageError(
                f"{info.name} needs gradients, which {' and '.join(asked)} cannot give: "
                f"make it on {', '.join(DIFFERENTIABLE)} (--access transfer,twin)"
            )
        for eps in _budgets(info, config):
            if info.norm is Norm.LINF and eps > 1:
                raise UsageError(
                    f"{info.name}, eps {eps:g}: "
                    "an Linf budget is a fraction of the input range, 0 to 1"
                )
    if config.lattice != NATIVE:
        _check_levels(config, STEPS)
    return config


def _aimed(config: Config) -> tuple[str, ...]:
    """The attacks that are given the target: of groups those that can.

    Raises UsageError on a target that is no class at all, and on an attack named by itself that
    cannot.
    """
    if config.target != LEAST_LIKELY and not is_number(config.target):
        raise UsageError(
            f"target {config.target!r}: give a class by its number, {LEAST_LIKELY} or {ANY}"
        )
    for name in config.attacks:
        if name in ATTACKS:
            check_target(find(name))
    return tuple(name for name in expand(config.attacks) if find(name).aims)


def sources(info: AttackInfo, config: Config, subject: Subject) -> tuple[str, ...]:
    """The rungs to make ``info`` on.

    Raises UsageError where there is none for it, or one asked for is missing.

    Unless ``config`` says otherwise the float baseline and the quantized network: ``qat``, or the
    ``twin`` of a .tflite that came without it. An attack that needs gradients is made on those of
    the rungs asked for that have them.
    """
    if info.needs is Needs.NOTHING:
        return (NO_SOURCE,)
    there = (*subject.differentiable, *subject.queried)
    for name in config.sources:
        if name not in there:
            raise UsageError(f"source {name!r}: this run's rungs are: {', '.join(there) or 'none'}")
    quantized = "qat" if "qat" in subject.differentiable else "twin"
    wanted = config.sources or ("float32", quantized)
    if config.access:
        wanted = tuple(rung for access in config.access for rung in _first(_REACH[access], there))
    able = tuple(name for name in wanted if name in there)
    if info.needs is Needs.GRADIENTS:
        able = tuple(name for name in able if name in subject.differentiable)
    if not able:
        reach = ", ".join(config.access or wanted)
        raise UsageError(
            f"{info.name} cannot be made: this run has no rung for {reach}; it has "
            f"{', '.join(there) or 'none'}"
        )
    return able


def cells(config: Config, subject: Subject) -> tuple[Cell, ...]:
    """All cells in order. The clean set always leads: every figure is read against it.

    Raises UsageError, as ``resolve`` and ``sources`` do, on an L2 budget that no input of this size
    can spend, and on an attack that measures the distance from a right answer where the data has no
    labels.
    """
    config = resolve(config)
    if config.lattice == NATIVE:
        _check_levels(config, subject.steps)
    out = [Cell(CLEAN, NO_SOURCE, 0.0)]
    used: set[str] = set()
    for info in map(find, config.attacks):
        if info.name == CLEAN:
            continue
        if info.minimises and not subject.labelled:
            raise UsageError(
                f"{info.name} measures how far a right answer is from a wrong one: "
                "the data has no labels"
            )
        rungs = sources(info, config, subject)
        used.update(rungs)
        budgets = _budgets(info, config)
        for eps in budgets:
            _check_length(info, eps, subject.elements)
        out += [
            Cell(info.name, rung, eps, seed)
            for rung in rungs
            for seed in config.seeds
            for eps in budgets
        ]
    searching = (c for c in out if asks(find(c.attack)) and searchable(c.source, config.search))
    if config.search and not any(searching):
        raise UsageError(
            f"search {config.search}: no attack of {', '.join(config.attacks)} asks another "
            f"integer rung: make it on {', '.join(INTEGER)} (--access twin,board)"
        )
    idle = [name for name in config.sources if name not in used]
    if idle and used - {NO_SOURCE}:
        raise UsageError(
            f"source {idle[0]}: no attack of {', '.join(config.attacks)} can be made on it"
        )
    return tuple(out)


def _check_levels(config: Config, steps: int) -> None:
    """Raises UsageError on a budget of the user's that moves nothing on a grid of ``steps``.

    A study's own budgets stand as published, and are flagged.
    """
    least = 0.5 if config.lattice == STUDY else 1.0  # of a level: what is rounded up moves, too
    for info in map(find, config.attacks):
        if info.minimises or info.eps or info.name == CLEAN or info.norm is Norm.L0:
            continue
        for eps in config.eps:
            if 0 < eps * steps < least - _ROUNDING:
                finer = "" if config.lattice == NATIVE else ", or --lattice native on int16 inputs"
                raise UsageError(
                    f"{info.name}, eps {eps:g}: below one level of the input grid, so nothing "
                    f"would move: give {least:g}/{steps} or more{finer}"
                )


def searchable(source: str, search: str) -> bool:
    """Whether ``search`` can stand in for the rung ``source``."""
    return source in INTEGER and source != search


def _able(info: AttackInfo, rungs: Iterable[str]) -> bool:
    return info.needs is not Needs.GRADIENTS or any(rung in DIFFERENTIABLE for rung in rungs)


def _first(wanted: Iterable[str], there: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in wanted if name in there)[:1]


def _budgets(info: AttackInfo, config: Config) -> Sequence[float]:
    return (UNBOUNDED,) if info.minimises else info.eps or config.eps


def _check_length(info: AttackInfo, eps: float, elements: int) -> None:
    most = {Norm.LINF: 1.0, Norm.L2: math.sqrt(elements)}.get(info.norm, float(elements))
    if eps > most:
        raise UsageError(
            f"{info.name}, eps {eps:g}: no input of {elements} elements moves farther than "
            f"{most:g} in {info.norm.name}"
        )
