"""Distances to the decision boundary: one panel per attack and source, a curve per rung."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tinyrobust.host.analysis.budgets import unit
from tinyrobust.host.analysis.distances import Distances
from tinyrobust.host.report.figures import Panel, panels, style


def distributions(found: Sequence[Distances]) -> Figure | None:
    """The share of right answers that the attack turned within each distance.

    None if there is nothing to draw.
    """
    shown = list(dict.fromkeys((d.attack, d.source, d.seed) for d in found if d.reached))

    def plot(axis: Axes, panel: Panel) -> None:
        mine = [d for d in found if (d.attack, d.source, d.seed) == panel]
        for one in mine:
            _step(axis, one)
        axis.set_xlabel(f"{mine[0].shown.upper()} {unit(mine[0].shown)}")
        axis.set_xlim(left=0)

    return panels(shown, "share of right answers turned", plot)


def _step(axis: Axes, one: Distances) -> None:
    look, near = style(one.rung), np.sort(one.own[np.isfinite(one.own)])
    share = np.arange(len(near) + 1) / one.n
    axis.step(
        np.concatenate([[0.0], near]),
        share,
        where="post",
        color=look.colour,
        linestyle=look.dash,
        linewidth=look.width,
        alpha=look.alpha,
        label=one.rung,
    )
