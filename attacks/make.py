"""Threat model, budget and what every attack goes through on its way to the chip.

On the input grid: the adversary wants the prediction to leave the label, or to be a target class,
by a perturbation inside a budget or by the smallest one. What it knows is the source rung; a
transfer attack is the same bytes scored on another rung. The attacks know nothing of boards, models
or files.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from tinyrobust.attacks import checks
from tinyrobust.attacks.base.goals import Goal, aimed, classes_of
from tinyrobust.attacks.base.input_grid import levels, rounded_levels, sizes
from tinyrobust.attacks.base.problem import AttackInfo, Lattice, Needs, Norm, Problem, asks
from tinyrobust.attacks.base.straight_through import rounding
from tinyrobust.attacks.batches import BATCH, Batch, attack, batches
from tinyrobust.attacks.registry import find
from tinyrobust.core.cells import AdversarialSet, Cell, Flag
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import (
    BoolArray,
    Differentiable,
    Int64Array,
    IntArray,
    Predictor,
    TensorSpec,
)

UNBOUNDED = 1.0
"""``Cell.eps`` of an attack that minimises: the whole input range."""

Progress = Callable[[int, int], None]
"""(samples attacked, samples in all)."""


class Kept(Protocol):
    """Where batches survive an interruption."""

    def read(self, index: int) -> Batch | None:
        """The batch, or None where it has to be made."""
        ...

    def write(self, index: int, batch: Batch) -> None:
        """Keeps it."""
        ...


@dataclass(frozen=True)
class AttackRequest:
    """What shall be attacked, and how.

    ``q`` [n, *spec.shape] in the dtype of the input grid ``spec``; ``labels`` int64 [n], -1 where
    unknown (such a sample is attacked away from what the source itself answers); ``source`` the
    rung named by ``cell.source``, None for ``-``; ``lattice`` when the attack is rounded, None: as
    its row says; ``queries`` what an attack that only asks may ask it for each sample, None for the
    attack's own number; ``target`` the class that samples shall be taken for, by its number or
    ``least-likely`` of the source, empty for any but the label.
    """

    cell: Cell
    source: Predictor | None
    q: IntArray
    labels: Int64Array
    spec: TensorSpec
    lattice: Lattice | None = None
    queries: int | None = None
    target: str = ""


@dataclass(frozen=True)
class Prepared:
    """A request whose attack and budget are known: ``prepare`` returns it, ``run`` takes it."""

    cell: Cell
    info: AttackInfo
    problem: Problem

    @property
    def idle(self) -> bool:
        """Whether the budget allows no change at all."""
        return not self.problem.levels or not self.problem.eps


def make(request: AttackRequest) -> AdversarialSet:
    """The bytes that the ladder is fed for one cell; ``flags`` says what makes them suspect.

    The same request gives the same bytes. Raises what ``prepare`` and ``run`` raise.
    """
    prepared = prepare(request)
    made = run(prepared)
    return replace(made, flags=made.flags + check(prepared, made))


def prepare(request: AttackRequest) -> Prepared:
    """Looks the attack up and works out its budget, in levels and in real units.

    Raises UsageError on an unknown attack, an impossible eps, a wrong shape or a source without the
    gradients that the attack needs.
    """
    cell, q, labels, spec = request.cell, request.q, request.labels, request.spec
    info = find(cell.attack)
    if q.dtype != spec.dtype or q.shape[1:] != spec.shape or labels.shape != q.shape[:1]:
        raise UsageError(
            f"{cell.attack}: samples {q.dtype} {q.shape} with labels {labels.shape} "
            f"do not fit {spec.dtype} [n, {spec.shape}]"
        )
    lattice = request.lattice or info.lattice
    bounded_by_levels = info.norm is Norm.LINF and not info.minimises
    whole = rounded_levels if lattice is Lattice.STUDY else levels
    budget = whole(cell.eps, spec.steps) if bounded_by_levels else spec.steps
    attacked = _source(info, cell, request.source)
    if attacked is not None and np.any(labels < 0):
        labels = np.where(labels < 0, attacked.predict(q).logits.argmax(axis=1), labels)
    goal = None
    if request.target and attacked is not None:
        check_target(info)
        view = aimed(attacked)
        goal = Goal(classes_of(request.target, attacked, q), view.aim, q, labels)
        attacked, labels = view, np.zeros_like(labels)
    eps = math.inf if info.minimises else cell.eps * (spec.high - spec.low)
    if lattice is Lattice.INNER:
        eps = budget / spec.steps * (spec.high - spec.low) if bounded_by_levels else eps
        attacked = rounding(attacked) if isinstance(attacked, Differentiable) else attacked
    problem = Problem(
        q=q,
        labels=labels,
        spec=spec,
        norm=info.norm,
        eps=eps,
        levels=budget,
        seed=cell.seed,
        source=attacked,
        lattice=lattice,
        queries=request.queries if asks(info) else None,
        goal=goal,
    )
    return Prepared(cell, info, problem)


def run(
    prepared: Prepared, kept: Kept | None = None, progress: Progress = lambda done, total: None
) -> AdversarialSet:
    """Makes the set batch by batch; what is ``kept`` of an interrupted call is not made again.

    A batch that ends with an error is left clean, marked as failed and noted, and not kept: the
    next call tries it again. Raises what a lost source raises.
    """
    problem, n = prepared.problem, len(prepared.problem.q)
    done: list[Batch] = []
    for index, part in enumerate(() if prepared.idle else batches(problem)):
        batch = kept.read(index) if kept is not None else None
        if batch is None:
            batch = attack(prepared.info, part)
            if kept is not None and not batch.failure:
                kept.write(index, batch)
        done.append(batch)
        progress(min(n, (index + 1) * BATCH), n)
    q = np.concatenate([batch.q for batch in done]) if done else problem.q.copy()
    unsnapped = [batch.unsnapped for batch in done]
    failed = np.repeat([bool(batch.failure) for batch in done], [len(batch.q) for batch in done])
    measured = sizes(problem.q, q, problem.spec.steps)
    return AdversarialSet(
        cell=prepared.cell,
        q=q,
        levels=problem.levels,
        linf=measured.linf,
        l2=measured.l2,
        l1=measured.l1,
        l0=measured.l0,
        unsnapped=np.concatenate(unsnapped) if done else np.zeros(n, np.float32),
        failed=failed.astype(np.bool_) if done else np.zeros(n, np.bool_),
        target=None if problem.goal is None else problem.goal.classes,
        notes=(*_notes(done), *_reached(problem, q)),
        flags=(
            *checks.refused(prepared.cell, problem, done),
            *checks.exceeded(prepared.cell, problem, measured.of(problem.norm, problem.spec.steps)),
        ),
    )


def check(prepared: Prepared, made: AdversarialSet) -> tuple[Flag, ...]:
    """What makes a gradient attack suspect, by cheaper attacks of the same budget on its source."""
    alive: BoolArray = ~made.failed
    if prepared.info.needs is not Needs.GRADIENTS or not alive.any() or prepared.idle:
        return ()
    problem = prepared.problem
    if problem.goal is not None:
        if len(np.unique(problem.goal.classes)) > 1:
            return ()  # the source answers for one class at a time
        problem.goal.aim(int(problem.goal.classes[0]))
    whole = replace(problem, q=problem.q[alive], labels=problem.labels[alive])
    return checks.suspect(made.cell, prepared.info, whole, made.q[alive])


def check_target(info: AttackInfo) -> None:
    """Raises UsageError where the attack cannot be given a target class."""
    if not info.aims:
        raise UsageError(
            f"{info.name} cannot be given a target: its loss is not defined of one class against "
            "all others; use apgd-ce or apgd-t"
        )


def _reached(problem: Problem, q: IntArray) -> tuple[str, ...]:
    """How many of the samples became what they should, not counting those that were it before.

    A source that can only be asked is not asked again for that: its questions are counted.
    """
    goal = problem.goal
    if goal is None or not isinstance(problem.source, Differentiable):
        return ()
    before, after = np.zeros((2, len(q)), np.bool_)
    for target in np.unique(goal.classes):
        at = np.flatnonzero(goal.classes == target)
        goal.aim(int(target))
        for found, points in ((before, problem.q), (after, q)):
            found[at] = problem.queried().predict(points[at]).logits.argmax(axis=1) == 1
    n = int(np.sum(~before))
    return (f"{int(np.sum(after & ~before))} of {n} samples taken for their target",)


def _notes(done: list[Batch]) -> tuple[str, ...]:
    notes = [
        f"samples {index * BATCH} to {index * BATCH + len(batch.q) - 1} are left clean: "
        f"{batch.failure}"
        for index, batch in enumerate(done)
        if batch.failure
    ]
    left: dict[str, int] = {}
    for part, count in (pair for batch in done for pair in batch.parts):
        left[part] = left.get(part, 0) + count
    if left:
        n = sum(len(batch.q) for batch in done)
        parts = ", ".join(f"{count} after {part}" for part, count in left.items())
        notes.append(f"still right of {n} samples: {parts}")
    confirmed, refuted = (sum(batch.tally[which] for batch in done) for which in (0, 1))
    if confirmed + refuted:
        notes.append(
            f"{refuted} of {confirmed + refuted} points that were found by searching on another "
            "rung were not confirmed, and do not count"
        )
    lost = sum(batch.lost for batch in done)
    if lost:
        notes.append(
            f"{lost} of {sum(len(batch.q) for batch in done)} samples fooled the source "
            "until they were rounded"
        )
    return tuple(notes)


def _source(info: AttackInfo, cell: Cell, source: Predictor | None) -> Predictor | None:
    if info.needs is Needs.NOTHING:
        return None
    if source is None or source.rung != cell.source:
        raise UsageError(f"{cell.attack} on {cell.source!r}: that rung is not part of this run")
    if info.needs is Needs.GRADIENTS and not isinstance(source, Differentiable):
        raise UsageError(
            f"{cell.attack} needs gradients, which {cell.source} has not: "
            "attack float32, qat or twin"
        )
    return source
