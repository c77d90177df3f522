"""Is the attack itself broken? Warnings, after Carlini et al. 2019 (arXiv:1902.06705), that the report must show."""

from __future__ import annotations

import numpy as np

from attacks.gradient import gradients
from attacks.problem import Problem
from host.types import BoolArray, Int8Array

ZERO_GRADIENT_SHARE = 0.1
"""Share of samples without any gradient above which a gradient attack is called blind."""


def blind(problem: Problem) -> tuple[str, ...]:
    """A warning if the source gives no gradient on more than ``ZERO_GRADIENT_SHARE`` of the samples."""
    flat = gradients(problem).reshape(len(problem.q), -1)
    share = float(np.mean(~np.any(flat, axis=1))) if len(flat) else 0.0
    if share <= ZERO_GRADIENT_SHARE:
        return ()
    return (f"the source has no gradient on {share:.0%} of the samples: its robustness may be masked gradients",)


def weaker(problem: Problem, strong: Int8Array, control: Int8Array, name: str) -> tuple[str, ...]:
    """A warning if the ``control`` bytes of a simpler attack fool more of the source's samples than ``strong``."""
    attacked, simple = _right(problem, strong), _right(problem, control)
    if not _clearly_fewer(simple, attacked):
        return ()
    return (f"weaker than {name} on its own source: {attacked.mean():.1%} still right, {simple.mean():.1%} by {name}",)


def idle(problem: Problem, strong: Int8Array, noise: Int8Array) -> tuple[str, ...]:
    """A warning if uniform ``noise`` of the same budget does harm, and the attack ``strong`` no more than that."""
    before, noisy, attacked = (_right(problem, q) for q in (problem.q, noise, strong))
    if not _clearly_fewer(noisy, before) or attacked.sum() < noisy.sum():
        return ()
    return (f"uniform noise is as strong: {noisy.mean():.1%} still right, {attacked.mean():.1%} under the attack",)


def _clearly_fewer(left: BoolArray, right: BoolArray) -> bool:
    """Fewer in ``left`` than in ``right``, by more than two standard errors of the samples on which they differ."""
    lost, won = int(np.sum(right & ~left)), int(np.sum(left & ~right))
    return bool(lost - won > 2 * np.sqrt(lost + won))


def _right(problem: Problem, q: Int8Array) -> BoolArray:
    logits = problem.differentiable().predict(q).logits
    return np.asarray(logits.argmax(axis=1) == problem.labels, dtype=np.bool_)
