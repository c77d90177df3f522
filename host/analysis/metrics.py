"""From records to figures: accuracy, agreement, and where along the ladder accuracy goes.

Pure: a Parquet table in, frozen dataclasses out. No model, no board, no TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from tinyrobust.core.stats import mcnemar, paired_difference, wilson
from tinyrobust.host.analysis.divergence import ORACLE, compare_bytes
from tinyrobust.host.analysis.groups import SLACK, Group, groups, rank
from tinyrobust.host.analysis.targets import moved
from tinyrobust.host.records.schema import Manifest

STEPS = 255
"""In what part of the input range budgets are written; the steps of an int8 input grid."""


@dataclass(frozen=True)
class SummaryRow:
    """One rung on one cell of the sweep.

    Shares are 0..1; None where the quantity does not exist.
    """

    rung: str
    attack: str
    source: str
    eps: float
    """Budget asked for, in multiples of the input range and in the attack's norm; 1 where it
    minimises.
    """
    norm: str
    minimises: bool
    seed: int
    levels: int
    """An Linf budget in whole levels of the input grid, all of them in any other norm."""
    eps_reached_max: float
    """Largest change of an element that reached the chip, fraction of the input range."""
    eps_reached_mean: float
    l2_max: float
    """Euclidean length of what reached the chip, multiples of the input range."""
    l2_mean: float
    l1_max: float | None
    """Sum of the absolute changes that reached the chip, multiples of the input range; None where
    it was not kept.
    """
    l1_mean: float | None
    l0_mean: float
    """Elements changed."""
    unsnapped_max: float
    """Largest perturbation as the attack returned it, in its norm, before it was brought to the
    input grid.
    """
    over_budget: int
    """Samples that were moved farther than the budget: by a study's rounding, else 0."""
    failed: int
    """Samples left clean because the attack ended with an error."""
    n: int
    correct: int | None
    """None where the data has no labels, as all figures of accuracy."""
    accuracy: float | None
    low: float | None
    """Wilson interval, 95 %."""
    high: float | None
    to_target: int | None
    """Samples that a targeted attack moved to their target; None where it had none."""
    to_target_n: int | None
    """Out of so many that were not it before."""
    to_target_share: float | None
    to_target_low: float | None
    """Wilson interval, 95 %."""
    to_target_high: float | None
    agree_float32: float | None
    """Share of predictions equal to that rung's."""
    agree_qat: float | None
    agree_tflm: float | None
    differing_samples: int | None
    """Samples whose output bytes are not the oracle's."""
    differing_bytes: int | None


@dataclass(frozen=True)
class Step:
    """What one step of the ladder does to the accuracy on one cell.

    It is measured on the samples that both rungs answered.
    """

    attack: str
    source: str
    eps: float
    seed: int
    upper: str
    lower: str
    n: int
    upper_accuracy: float
    lower_accuracy: float
    lost: int
    """Right on ``upper``, wrong on ``lower``."""
    gained: int
    difference: float
    """``lower_accuracy - upper_accuracy``: negative is a loss."""
    low: float
    """95 % interval of the difference, paired."""
    high: float
    p_value: float
    """McNemar, exact."""


def attack_order(manifest: Manifest) -> dict[str, int]:
    """Position of each attack: the order the run was asked for, the clean set first."""
    return {
        name: at
        for at, name in enumerate(("clean", *(a for a in manifest.attacks if a != "clean")))
    }


def summarise(table: pa.Table, manifest: Manifest) -> list[SummaryRow]:
    """One row per rung and cell: the run's order of attacks, then source, seed, eps and ladder."""
    order, found = attack_order(manifest), groups(table)
    clean = next((rungs for cell, rungs in found.items() if cell.attack == "clean"), {})
    rows = [
        _row(group, rungs, clean.get(group.rung), manifest)
        for rungs in found.values()
        for group in rungs.values()
    ]
    return sorted(
        rows,
        key=lambda r: (
            order.get(r.attack, len(order)),
            r.attack,
            r.source,
            r.seed,
            r.eps,
            rank(r.rung),
        ),
    )


def _row(
    group: Group, rungs: dict[str, Group], clean: Group | None, manifest: Manifest
) -> SummaryRow:
    n, kind = len(group.sample), manifest.kind(group.cell.attack)
    steps = manifest.input_steps
    labelled = bool(np.all(group.label >= 0))
    correct = int(group.right.sum()) if labelled else None
    low, high = wilson(correct, n) if correct is not None else (None, None)
    aimed = moved(group, clean)
    least, most = aimed.interval if aimed else (None, None)
    against = (
        compare_bytes(group, rungs[ORACLE]) if group.rung != ORACLE and ORACLE in rungs else None
    )
    return SummaryRow(
        rung=group.rung,
        attack=group.cell.attack,
        source=group.cell.source,
        eps=group.cell.eps,
        norm=kind.norm if kind else "linf",
        minimises=bool(kind and kind.minimises),
        seed=group.cell.seed,
        levels=group.levels,
        eps_reached_max=float(group.linf.max()) / steps,
        eps_reached_mean=float(group.linf.mean()) / steps,
        l2_max=float(group.l2.max()),
        l2_mean=float(group.l2.mean()),
        l1_max=_recorded(group.l1.max()),
        l1_mean=_recorded(group.l1.mean()),
        l0_mean=float(group.l0.mean()),
        unsnapped_max=float(group.unsnapped.max()),
        over_budget=0 if kind is None or kind.minimises else _over(group, kind.norm, steps),
        failed=int(group.failed.sum()),
        n=n,
        correct=correct,
        accuracy=correct / n if correct is not None else None,
        low=low,
        high=high,
        to_target=aimed.reached if aimed else None,
        to_target_n=aimed.n if aimed else None,
        to_target_share=aimed.share if aimed else None,
        to_target_low=least,
        to_target_high=most,
        agree_float32=agreement(group, rungs.get("float32")),
        agree_qat=agreement(group, rungs.get("qat")),
        agree_tflm=agreement(group, rungs.get(ORACLE)),
        differing_samples=against.differing_samples if against else None,
        differing_bytes=against.differing_bytes if against else None,
    )


def _over(group: Group, norm: str, steps: int) -> int:
    """How many samples were moved farther than the budget that was asked for."""
    return int(np.sum(group.size(norm, steps) > group.cell.eps * (1 + SLACK)))


def _recorded(value: np.floating) -> float | None:
    return None if np.isnan(value) else float(value)


def agreement(group: Group, other: Group | None) -> float | None:
    """Share of samples, among those both answered, with the same prediction.

    None where there is none to compare.
    """
    if other is None or other is group:
        return None
    _, mine, theirs = np.intersect1d(
        group.sample, other.sample, assume_unique=True, return_indices=True
    )
    if not len(mine):
        return None
    return float(np.mean(group.predicted[mine] == other.predicted[theirs]))


def attribution(table: pa.Table, manifest: Manifest) -> list[Step]:
    """The change of accuracy between neighbouring rungs of each cell; empty without labels."""
    order = attack_order(manifest)
    steps = []
    for rungs in groups(table).values():
        present = list(rungs.values())
        for upper, lower in pairwise(present):
            step = _step(upper, lower)
            if step is not None:
                steps.append(step)
    return sorted(
        steps,
        key=lambda s: (
            order.get(s.attack, len(order)),
            s.attack,
            s.source,
            s.seed,
            s.eps,
            rank(s.upper),
        ),
    )


def _step(upper: Group, lower: Group) -> Step | None:
    _, high, low = np.intersect1d(
        upper.sample, lower.sample, assume_unique=True, return_indices=True
    )
    if not len(high) or np.any(upper.label[high] < 0):
        return None
    before, after = upper.right[high], lower.right[low]
    n, lost, gained = len(high), int(np.sum(before & ~after)), int(np.sum(~before & after))
    least, most = paired_difference(lost, gained, n)
    cell = upper.cell
    return Step(
        attack=cell.attack,
        source=cell.source,
        eps=cell.eps,
        seed=cell.seed,
        upper=upper.rung,
        lower=lower.rung,
        n=n,
        upper_accuracy=float(before.mean()),
        lower_accuracy=float(after.mean()),
        lost=lost,
        gained=gained,
        difference=(gained - lost) / n,
        low=least,
        high=most,
        p_value=mcnemar(lost, gained),
    )
