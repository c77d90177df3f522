"""Robust accuracy against eps as a band: certified below, turned by nothing above."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from tinyrobust.host.analysis.band import Band
from tinyrobust.host.analysis.certified import Interval
from tinyrobust.host.analysis.metrics import STEPS
from tinyrobust.host.report.figures import styled

_BELOW, _ABOVE, _BETWEEN = "#009E73", "#D55E00", "#F0E442"
"""Okabe and Ito's green, vermilion and yellow; markers differ as well."""


def band_plot(bands: Sequence[Band]) -> Figure | None:
    """Shares of the samples against the budget, from the clean accuracy at 0 on.

    Bars are 95 % Wilson intervals. None without a band.
    """
    if not bands:
        return None
    x = [0, *(one.levels for one in bands)]
    clean = bands[0].clean
    below = [clean, *(one.certified for one in bands)]
    above = [clean, *(one.standing for one in bands)]
    with styled():
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        axis = figure.subplots()
        axis.fill_between(
            x,
            [one.share for one in below],
            [one.share for one in above],
            color=_BETWEEN,
            alpha=0.45,
            linewidth=0,
            label="not known",
        )
        for bound, colour, marker, label in (
            (above, _ABOVE, "v", "no attack turned it"),
            (below, _BELOW, "^", "certified: none can"),
        ):
            axis.errorbar(
                x,
                [one.share for one in bound],
                yerr=_reach(bound),
                color=colour,
                marker=marker,
                markersize=5,
                linewidth=1.6,
                elinewidth=0.8,
                capsize=2,
                label=label,
            )
        axis.set_xlim(left=-0.02 * x[-1])
        axis.set_ylim(-0.02, 1.02)
        axis.set_xticks(x)
        axis.grid(alpha=0.25, linewidth=0.6)
        axis.set_xlabel(f"eps, Linf, in 1/{STEPS} of the input range")
        axis.set_ylabel(f"robust accuracy on {bands[0].rung}, n = {bands[0].n:,}")
        figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


def _reach(bound: Sequence[Interval]) -> list[list[float]]:
    """How far the intervals go below and above their shares; rounding makes no length negative."""
    return [
        [max(one.share - one.low, 0.0) for one in bound],
        [max(one.high - one.share, 0.0) for one in bound],
    ]
