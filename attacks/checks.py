"""Is the attack itself broken?

What can be seen on its own source when it is made; the rest is seen in the records.

After Carlini et al. 2019 (arXiv:1902.06705), section 3 and the checklist of its appendix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tinyrobust.attacks.base.problem import AttackInfo, Lattice, Norm, Problem
from tinyrobust.attacks.batches import Batch, attack, batches
from tinyrobust.attacks.gradients.graphs import clean, graph
from tinyrobust.attacks.gradients.losses import Loss, gradients, unsaturated
from tinyrobust.attacks.gradients.targets import likeliest
from tinyrobust.attacks.registry import find
from tinyrobust.core.cells import Cell, Flag, FlagKind
from tinyrobust.core.types import BoolArray, FloatArray, IntArray

_SLACK = 1e-5
"""Relative excess of a size over its budget that float32 can make."""

SAMPLES = 256
"""Samples whose gradients and losses are looked at: shares of a few per cent show on these."""

ZERO_SAMPLES = 0.1
"""Share of samples without any gradient above which gradients count as masked."""

ZERO_PIXELS = 0.5
"""Share of elements with zero gradient, on samples that have one, above which they do."""


def exceeded(cell: Cell, problem: Problem, reached: NDArray[np.floating]) -> tuple[Flag, ...]:
    """A flag where perturbations of the sizes ``reached`` [n] are larger than a bounded budget.

    Sizes are in the problem's norm, in multiples of the input range. Rounding as a study does may
    make them so; nothing else does.
    """
    over = reached > cell.eps * (1 + _SLACK)
    if not problem.bounded or not over.any():
        return ()
    return (
        Flag(
            FlagKind.OVER_BUDGET,
            cell,
            f"{int(over.sum())} of {len(reached)} samples were moved farther than eps "
            f"{cell.eps:.4g}, up to {float(reached.max()):.4g}",
        ),
    )


def refused(cell: Cell, problem: Problem, done: Sequence[Batch]) -> tuple[Flag, ...]:
    """Flags on what never reached the chip.

    A budget below one level, batches that ended with an error.
    """
    if not problem.levels and cell.eps > 0:
        return (
            Flag(
                FlagKind.BELOW_ONE_LEVEL,
                cell,
                f"eps {cell.eps:g} moves no input by a whole level of the input grid, "
                f"1/{problem.spec.steps} of the range",
            ),
        )
    failed = sum(len(batch.q) for batch in done if batch.failure)
    if not failed:
        return ()
    return (
        Flag(
            FlagKind.FAILED,
            cell,
            f"{failed} of {len(problem.q)} samples were left clean by an error",
        ),
    )


def suspect(cell: Cell, info: AttackInfo, problem: Problem, strong: IntArray) -> tuple[Flag, ...]:
    """Flags on a gradient attack that turned ``problem`` into ``strong``, int8 of its shape."""
    found = [masked(problem, info.loss or unsaturated), not_rising(problem, strong)]
    if info.norm is Norm.LINF and problem.bounded:
        one_step, noise = find("fgsm"), find("noise")
        if info.function is not one_step.function:
            found.append(weaker(problem, strong, _control(one_step, problem), one_step.title))
        found.append(idle(problem, strong, _control(noise, problem)))
    return tuple(Flag(kind, cell, detail) for one in found if one for kind, detail in [one])


Finding = tuple[FlagKind, str] | None
"""What is wrong and the figures of it, or None."""


def masked(problem: Problem, loss: Loss) -> Finding:
    """Zero gradients of ``loss``, the attack's own, at the clean inputs.

    A targeted loss is looked at towards the likeliest other class.
    """
    few = _few(problem)
    flat = gradients(few, loss, likeliest(few, 1)[0]).reshape(-1, problem.spec.size)
    alive = np.any(flat, axis=1)
    samples, pixels = (
        float(np.mean(~alive)),
        float(np.mean(flat[alive] == 0)) if alive.any() else 1.0,
    )
    if samples <= ZERO_SAMPLES and pixels <= ZERO_PIXELS:
        return None
    return FlagKind.MASKED_GRADIENTS, (
        f"zero on all pixels of {samples:.0%} of the samples, "
        f"and on {pixels:.0%} of the pixels of the others"
    )


def not_rising(problem: Problem, strong: IntArray) -> Finding:
    """The margin by which the label loses does not rise.

    That is on average over the samples that the source had right.

    Not the cross-entropy, which saturates in float32 on a network that is sure.
    """
    few = _few(problem)
    before, after = _margins(few), _margins(replace(few, q=strong[:SAMPLES]))
    rise = (after - before)[before < 0]
    if len(rise) < 2:
        return None
    mean, error = float(rise.mean()), float(rise.std(ddof=1)) / np.sqrt(len(rise))
    if mean > 2 * error:
        return None
    return FlagKind.LOSS_NOT_RISING, (
        f"largest wrong logit less the right one: {mean:+.3g} on average by the attack, "
        f"standard error {error:.2g}"
    )


def weaker(problem: Problem, strong: IntArray, control: IntArray, name: str) -> Finding:
    """``control``, a simpler attack's bytes, fools more of the source's samples than ``strong``."""
    attacked, simple = _right(problem, strong), _right(problem, control)
    if not clearly_fewer(simple, attacked):
        return None
    return (
        FlagKind.WEAKER_THAN_ONE_STEP,
        f"{attacked.mean():.1%} still right, {simple.mean():.1%} under {name}",
    )


def idle(problem: Problem, strong: IntArray, noise: IntArray) -> Finding:
    """Uniform ``noise`` of the same budget does harm, and the attack ``strong`` no more."""
    before, noisy, attacked = (_right(problem, q) for q in (problem.q, noise, strong))
    if not clearly_fewer(noisy, before) or attacked.sum() < noisy.sum():
        return None
    return (
        FlagKind.NOISE_AS_STRONG,
        f"{attacked.mean():.1%} still right, {noisy.mean():.1%} under uniform noise",
    )


def clearly_fewer(left: BoolArray, right: BoolArray) -> bool:
    """Fewer in ``left`` than in ``right``, by more than two standard errors.

    Those of the samples on which they differ.
    """
    lost, won = int(np.sum(right & ~left)), int(np.sum(left & ~right))
    return bool(lost - won > 2 * np.sqrt(lost + won))


def _few(problem: Problem) -> Problem:
    return replace(problem, q=problem.q[:SAMPLES], labels=problem.labels[:SAMPLES])


def _control(info: AttackInfo, problem: Problem) -> IntArray:
    parts = batches(replace(problem, lattice=Lattice.AFTER))
    return np.concatenate([attack(info, part).q for part in parts])


def _margins(problem: Problem) -> FloatArray:
    """Largest other logit less the label's, float32 [n]."""
    logits = np.asarray(graph(problem).logits(clean(problem)))
    at = np.arange(len(logits)), problem.labels
    own = logits[at].copy()
    logits = logits.copy()
    logits[at] = -np.inf
    margin: FloatArray = logits.max(axis=1) - own
    return margin


def _right(problem: Problem, q: IntArray) -> BoolArray:
    logits = problem.queried().predict(q).logits
    return np.asarray(logits.argmax(axis=1) == problem.labels, dtype=np.bool_)
