"""Threat model, budget and registry of the attacks.

Untargeted, Linf, on the int8 input lattice: the adversary may move every input element by at most ``levels`` lattice
steps and wants the prediction to leave the label. What it knows is the source rung; a transfer attack is the same
bytes scored on another rung. The attacks know nothing of boards, models or files.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from attacks import checks
from attacks.control import CLEAN, NOISE, noise
from attacks.gradient import FGSM, PGD, fgsm
from attacks.lattice import levels, linf, snap
from attacks.problem import AttackInfo, Problem
from host.types import AdversarialSet, Cell, Differentiable, Int8Array, Int64Array, Predictor, TensorSpec, UsageError

ATTACKS: dict[str, AttackInfo] = {info.name: info for info in (CLEAN, NOISE, FGSM, PGD)}
"""Every attack by its name in ``bench.toml``."""


def make(cell: Cell, source: Predictor | None, q: Int8Array, labels: Int64Array, spec: TensorSpec) -> AdversarialSet:
    """The bytes that the ladder is fed for one cell.

    ``q`` int8 [n, *spec.shape], ``labels`` int64 [n] (-1 where unknown), ``source`` the rung named by ``cell.source``
    (None for ``-``). The same arguments give the same bytes. Unlabelled samples are attacked away from what the source
    itself answers. ``notes`` warn of a budget too small for the lattice and of an attack that looks broken.
    Raises UsageError on an unknown attack, an impossible eps, a wrong shape or a source without gradients.
    """
    info = ATTACKS.get(cell.attack)
    if info is None:
        raise UsageError(f"unknown attack {cell.attack!r}: choose from {', '.join(ATTACKS)}")
    if q.dtype != np.int8 or q.shape[1:] != spec.shape or labels.shape != q.shape[:1]:
        raise UsageError(
            f"{cell.attack}: samples {q.dtype} {q.shape} with labels {labels.shape} do not fit int8 [n, {spec.shape}]"
        )
    budget = levels(cell.eps)
    notes: tuple[str, ...] = ()
    white_box = _differentiable(cell, source) if info.needs_gradient else None
    if white_box is not None and np.any(labels < 0):
        labels = np.where(labels < 0, white_box.predict(q).logits.argmax(axis=1), labels)
        notes = ("samples without a label are attacked away from what the source itself answers",)
    if budget == 0 and cell.eps > 0:
        notes = (f"eps {cell.eps:g} is less than one int8 level: nothing reaches the chip",)
    if budget == 0 or len(q) == 0:
        return AdversarialSet(cell, q.copy(), budget, linf(q, q), notes)
    problem = Problem(q, labels, spec, cell.eps * (spec.high - spec.low), budget, cell.seed, white_box)
    adversarial = snap(q, info.function(problem), spec, budget)
    if white_box is not None:
        notes += _warnings(info, problem, adversarial)
    return AdversarialSet(cell, adversarial, budget, linf(q, adversarial), notes)


def _differentiable(cell: Cell, source: Predictor | None) -> Differentiable:
    if source is None or source.rung != cell.source:
        raise UsageError(f"{cell.attack} on {cell.source!r}: that rung is not part of this run")
    if not isinstance(source, Differentiable):
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
