"""Curves of accuracy against eps: a panel per attack and source, a line per rung, 95 % bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tinyrobust.core.stats import wilson
from tinyrobust.host.analysis.budgets import unit
from tinyrobust.host.analysis.groups import rank
from tinyrobust.host.analysis.metrics import STEPS, SummaryRow
from tinyrobust.host.report.figures import INK, Panel, panels, style


@dataclass(frozen=True)
class _Point:
    """One cell on one rung; ``eps`` and ``reached`` in the unit of its norm."""

    eps: float
    reached: float
    value: float
    low: float
    high: float


def curves(rows: Sequence[SummaryRow]) -> Figure | None:
    """Accuracy of each rung against eps; agreement with float32 where there are no labels.

    None if nothing to draw.
    """
    title = (
        "accuracy" if any(row.accuracy is not None for row in rows) else "agreement with float32"
    )
    rows = [row for row in rows if not row.minimises]
    shown = list(dict.fromkeys((r.attack, r.source, r.seed) for r in rows if r.attack != "clean"))
    shown = [panel for panel in shown if any(_lines(rows, panel).values())]

    def plot(axis: Axes, panel: Panel) -> None:
        norm = next(row.norm for row in rows if (row.attack, row.source, row.seed) == panel)
        _plot(axis, _lines(rows, panel))
        axis.set_xlabel(f"eps requested, {unit(norm)}")

    return panels(shown, title, plot)


def _lines(rows: Sequence[SummaryRow], panel: Panel) -> dict[str, list[_Point]]:
    """The points of each rung, in ladder order.

    The clean set is every panel's point at eps 0.
    """
    found: dict[str, list[_Point]] = {}
    for row in sorted(rows, key=lambda r: (rank(r.rung), r.eps)):
        point = _point(row)
        here = row.attack == "clean" or (row.attack, row.source, row.seed) == panel
        if here and point is not None:
            found.setdefault(row.rung, []).append(point)
    return {
        rung: points for rung, points in found.items() if len({point.eps for point in points}) > 1
    }


def _point(row: SummaryRow) -> _Point | None:
    eps, reached = row.eps, row.l2_max
    if row.norm == "linf":
        eps, reached = row.eps * STEPS, row.eps_reached_max * STEPS
    if row.accuracy is not None and row.low is not None and row.high is not None:
        return _Point(eps, reached, row.accuracy, row.low, row.high)
    if row.agree_float32 is None:
        return None
    return _Point(eps, reached, row.agree_float32, *wilson(round(row.agree_float32 * row.n), row.n))


def _plot(axis: Axes, lines: dict[str, list[_Point]]) -> None:
    for rung, points in lines.items():
        look = style(rung)
        x = [point.eps for point in points]
        axis.fill_between(
            x,
            [p.low for p in points],
            [p.high for p in points],
            color=look.colour,
            alpha=0.12,
            linewidth=0,
        )
        axis.plot(
            x,
            [point.value for point in points],
            color=look.colour,
            linestyle=look.dash,
            linewidth=look.width,
            marker=look.marker,
            markersize=5,
            alpha=look.alpha,
            label=rung,
        )
    _reached(axis, [point for points in lines.values() for point in points])


def _reached(axis: Axes, points: list[_Point]) -> None:
    """Marks on the x axis the eps that reached the chip, joined to the one asked for."""
    pairs = sorted({(point.eps, point.reached) for point in points if point.eps > 0})
    for asked, reached in pairs:
        axis.plot([asked, reached], [-0.02, -0.02], color=INK, linewidth=2.5, clip_on=False)
    axis.plot(
        [reached for _, reached in pairs],
        [-0.02] * len(pairs),
        linestyle="none",
        marker="^",
        markersize=6,
        color=INK,
        clip_on=False,
        label="eps that reached the chip",
    )
