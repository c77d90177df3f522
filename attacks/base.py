"""Threat model, budget and what every attack goes through on its way to the chip.

Untargeted, on the int8 input lattice: the adversary wants the prediction to leave the label, by a perturbation inside
a budget or by the smallest one. What it knows is the source rung; a transfer attack is the same bytes scored on
another rung. The attacks know nothing of boards, models or files.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from attacks import checks
from attacks.control import noise
from attacks.gradient import FGSM, fgsm
from attacks.lattice import STEPS, levels, linf, snap
from attacks.problem import AttackInfo, Needs, Norm, Problem
from attacks.registry import find
from host.types import AdversarialSet, Cell, Differentiable, Int8Array, Int64Array, Predictor, TensorSpec, UsageError

BATCH = 128
"""Samples that an attack is given at a time."""

UNBOUNDED = 1.0
"""``Cell.eps`` of an attack that minimises: the whole input range."""


def make(cell: Cell, source: Predictor | None, q: Int8Array, labels: Int64Array, spec: TensorSpec) -> AdversarialSet:
    """The bytes that the ladder is fed for one cell.

    ``q`` int8 [n, *spec.shape], ``labels`` int64 [n] (-1 where unknown), ``source`` the rung named by ``cell.source``
    (None for ``-``). The same arguments give the same bytes. Unlabelled samples are attacked away from what the source
    itself answers. ``notes`` warn of a budget too small for the lattice and of an attack that looks broken.
    Raises UsageError on an unknown attack, an impossible eps, a wrong shape or a source without gradients.
    """
    info = find(cell.attack)
    if q.dtype != np.int8 or q.shape[1:] != spec.shape or labels.shape != q.shape[:1]:
        raise UsageError(
            f"{cell.attack}: samples {q.dtype} {q.shape} with labels {labels.shape} do not fit int8 [n, {spec.shape}]"
        )
    budget = levels(cell.eps) if info.norm is Norm.LINF and not info.minimises else STEPS
    notes: tuple[str, ...] = ()
    attacked = _source(info, cell, source)
    if attacked is not None and np.any(labels < 0):
        labels = np.where(labels < 0, attacked.predict(q).logits.argmax(axis=1), labels)
        notes = ("samples without a label are attacked away from what the source itself answers",)
    if budget == 0 and cell.eps > 0:
        notes = (f"eps {cell.eps:g} is less than one int8 level: nothing reaches the chip",)
    if budget == 0 or len(q) == 0:
        return AdversarialSet(cell, q.copy(), budget, linf(q, q), notes)
    eps = math.inf if info.minimises else cell.eps * (spec.high - spec.low)
    problem = Problem(q, labels, spec, info.norm, eps, budget, cell.seed, attacked)
    adversarial = np.concatenate([snap(part.q, info.function(part), spec, budget) for part in _batches(problem)])
    if info.needs is Needs.GRADIENTS and not info.minimises:
        notes += _warnings(info, problem, adversarial)
    return AdversarialSet(cell, adversarial, budget, linf(q, adversarial), notes)


def _batches(problem: Problem) -> Iterator[Problem]:
    """Parts of at most ``BATCH`` samples, each with a seed of its own."""
    for index, start in enumerate(range(0, len(problem.q), BATCH)):
        part = slice(start, start + BATCH)
        seed = int(np.random.SeedSequence([problem.seed, index]).generate_state(1)[0] >> 1)
        yield replace(problem, q=problem.q[part], labels=problem.labels[part], seed=seed)


def _source(info: AttackInfo, cell: Cell, source: Predictor | None) -> Predictor | None:
    if info.needs is Needs.NOTHING:
        return None
    if source is None or source.rung != cell.source:
        raise UsageError(f"{cell.attack} on {cell.source!r}: that rung is not part of this run")
    if info.needs is Needs.GRADIENTS and not isinstance(source, Differentiable):
        raise UsageError(f"{cell.attack} needs gradients, which {cell.source} has not: attack float32, qat or twin")
    return source


def _warnings(info: AttackInfo, problem: Problem, adversarial: Int8Array) -> tuple[str, ...]:
    """Compare the attack with cheaper ones at the same budget, on its own source."""
    notes = checks.blind(problem)
    if info is not FGSM:
        one_step = snap(problem.q, fgsm(problem), problem.spec, problem.levels)
        notes += checks.weaker(problem, adversarial, one_step, FGSM.name)
    random = snap(problem.q, noise(replace(problem, source=None)), problem.spec, problem.levels)
    return notes + checks.idle(problem, adversarial, random)
