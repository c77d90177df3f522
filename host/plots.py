"""Curves of accuracy against eps: one panel per attack and source, one line per rung, 95 % bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from host.figures import INK, styled
from host.groups import rank
from host.metrics import STEPS, SummaryRow
from host.stats import wilson


@dataclass(frozen=True)
class _Style:
    """How a rung is drawn: Okabe-Ito colours, told apart in black and white by dash and marker too."""

    colour: str
    marker: str
    dash: str = "-"
    width: float = 1.6


_STYLES = {
    "float32": _Style("#0072B2", "o"),
    "qat": _Style("#E69F00", "s"),
    "twin": _Style("#CC79A7", "D"),
    "tflm": _Style("#009E73", "^", width=4.0),
    "native": _Style("#56B4E9", "v", ":"),
    "board": _Style("#D55E00", "x", "--"),
}


@dataclass(frozen=True)
class _Point:
    eps: float
    reached: float
    value: float
    low: float
    high: float


def curves(rows: Sequence[SummaryRow]) -> Figure | None:
    """Accuracy of each rung against eps; agreement with float32 where there are no labels. None if nothing to draw."""
    title = "accuracy" if any(row.accuracy is not None for row in rows) else "agreement with float32"
    panels = list(dict.fromkeys((r.attack, r.source, r.seed) for r in rows if r.attack != "clean"))
    panels = [panel for panel in panels if any(_lines(rows, panel).values())]
    if not panels:
        return None
    columns = 2 if len(panels) in (2, 4) else min(3, len(panels))
    lines = math.ceil(len(panels) / columns)
    with styled():
        figure = Figure(figsize=(3.5 * columns + 0.4, 2.9 * lines + 0.6), layout="constrained")
        axes = figure.subplots(lines, columns, sharey=True, squeeze=False).flatten()
        seeds = len({seed for _, _, seed in panels}) > 1
        for axis, panel in zip(axes, panels, strict=False):
            _panel(axis, _lines(rows, panel))
            axis.set_title(_panel_title(panel, seeds))
            axis.set_xlabel("eps requested, in 1/255 of the input range")
        for axis in axes[::columns]:
            axis.set_ylabel(title)
        for axis in axes[len(panels) :]:
            axis.set_visible(False)
        handles = {line.get_label(): line for axis in axes for line in axis.get_lines()}
        named = {name: line for name, line in handles.items() if not str(name).startswith("_")}
        figure.legend(list(named.values()), list(named), loc="outside upper center", ncols=len(named), frameon=False)
    return figure


def _panel_title(panel: tuple[str, str, int], seeds: bool) -> str:
    attack, source, seed = panel
    title = attack if source == "-" else f"{attack} made on {source}"
    return f"{title}, seed {seed}" if seeds else title


def _lines(rows: Sequence[SummaryRow], panel: tuple[str, str, int]) -> dict[str, list[_Point]]:
    """The points of each rung, by rung in ladder order; the clean set is every panel's point at eps 0."""
    found: dict[str, list[_Point]] = {}
    for row in sorted(rows, key=lambda r: (rank(r.rung), r.eps)):
        point = _point(row)
        if point is not None and (row.attack == "clean" or (row.attack, row.source, row.seed) == panel):
            found.setdefault(row.rung, []).append(point)
    return {rung: points for rung, points in found.items() if len({point.eps for point in points}) > 1}


def _point(row: SummaryRow) -> _Point | None:
    if row.accuracy is not None and row.low is not None and row.high is not None:
        return _Point(row.eps, row.eps_reached_max, row.accuracy, row.low, row.high)
    if row.agree_float32 is None:
        return None
    return _Point(row.eps, row.eps_reached_max, row.agree_float32, *wilson(round(row.agree_float32 * row.n), row.n))


def _panel(axis: Axes, lines: dict[str, list[_Point]]) -> None:
    for rung, points in lines.items():
        style = _STYLES.get(rung, _Style("#777777", "."))
        x = [point.eps * STEPS for point in points]
        axis.fill_between(
            x, [p.low for p in points], [p.high for p in points], color=style.colour, alpha=0.12, linewidth=0
        )
        axis.plot(
            x,
            [point.value for point in points],
            color=style.colour,
            linestyle=style.dash,
            linewidth=style.width,
            marker=style.marker,
            markersize=5,
            alpha=0.55 if style.width > 2 else 1.0,
            label=rung,
        )
    axis.set_ylim(-0.02, 1.02)
    axis.grid(alpha=0.25, linewidth=0.6)
    _reached(axis, [point for points in lines.values() for point in points])


def _reached(axis: Axes, points: list[_Point]) -> None:
    """A second marker on the x axis: the eps that reached the chip, joined to the one that was asked for."""
    pairs = sorted({(point.eps * STEPS, point.reached * STEPS) for point in points if point.eps > 0})
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
