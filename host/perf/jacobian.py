"""What Jacobian regularization adds to a training step, as a table."""

from __future__ import annotations

from collections.abc import Callable

from host.perf.table import Table
from models.step_cost import step_costs


def jacobian_table(say: Callable[[str], None]) -> Table:
    """Plain and regularized training speeds side by side (models/step_cost.py)."""
    say("Jacobian-regularized training steps")
    rows = tuple(
        (cost.network, cost.penalty, f"{cost.plain:.0f}", f"{cost.regularized:.0f}", f"{cost.ratio:.2f}")
        for cost in step_costs()
    )
    return Table(
        "Jacobian regularization",
        "Training steps of batch 128 with one random projection; *share* is the part of each batch that pays for the "
        "penalty. Plain and regularized steps alternate; the ratio is time per regularized step over a plain one.",
        ("network", "penalty", "plain images/s", "regularized images/s", "ratio"),
        rows,
    )
