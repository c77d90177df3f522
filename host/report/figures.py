"""How every figure of the report looks and is stored."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#0b0c0d"
"""Black of every text and axis; a sentinel, so that the report can put the page's own colour in its
place.
"""

_PAPER = "#fefefe"
"""White of the figure's background, a sentinel too."""

_DPI = 144
_MOST_PIXELS = 65_000
"""Of one side: Matplotlib draws less than 2^16."""

_SETTINGS: Any = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "svg.hashsalt": "tinyrobust",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@dataclass(frozen=True)
class Style:
    """How a rung is drawn, so that it is told apart in black and white too.

    Colours are Okabe and Ito's; dash and marker differ as well.
    """

    colour: str
    marker: str
    dash: str = "-"
    width: float = 1.6

    @property
    def alpha(self) -> float:
        """A broad line lets the one under it show."""
        return 0.55 if self.width > 2 else 1.0


_STYLES = {
    "float32": Style("#0072B2", "o"),
    "qat": Style("#E69F00", "s"),
    "twin": Style("#CC79A7", "D"),
    "tflm": Style("#009E73", "^", width=4.0),
    "native": Style("#56B4E9", "v", ":"),
    "board": Style("#D55E00", "x", "--"),
}


def style(rung: str) -> Style:
    """The style of a rung; grey for an unknown one."""
    return _STYLES.get(rung, Style("#777777", "."))


Panel = tuple[str, str, int]
"""An attack, the rung it was made on, its seed."""


def panels(
    shown: Sequence[Panel], ylabel: str, plot: Callable[[Axes, Panel], None]
) -> Figure | None:
    """A figure with one titled panel for each of ``shown``, and one legend; None without any.

    ``plot`` draws a panel, labels its x axis, and leaves the y axis, a share from 0 to 1.
    """
    if not shown:
        return None
    seeds = len({seed for _, _, seed in shown}) > 1
    with styled():
        figure, axes, columns = _axes(len(shown))
        for axis, panel in zip(axes, shown, strict=True):
            plot(axis, panel)
            axis.set_ylim(-0.02, 1.02)
            axis.grid(alpha=0.25, linewidth=0.6)
            axis.set_title(_title(*panel, seeds))
        for axis in axes[::columns]:
            axis.set_ylabel(ylabel)
        _legend(figure, axes)
    return figure


def _axes(count: int) -> tuple[Figure, list[Axes], int]:
    """A figure, its first ``count`` axes in rows, the rest hidden, and how many stand in a row."""
    columns = 2 if count in (2, 4) else min(3, count)
    lines = math.ceil(count / columns)
    figure = Figure(figsize=(3.5 * columns + 0.4, 2.9 * lines + 0.6), layout="constrained")
    axes = list(figure.subplots(lines, columns, sharey=True, squeeze=False).flatten())
    for axis in axes[count:]:
        axis.set_visible(False)
    return figure, axes[:count], columns


def _legend(figure: Figure, axes: Sequence[Axes]) -> None:
    """One legend above all panels."""
    handles = {line.get_label(): line for axis in axes for line in axis.get_lines()}
    named = {str(name): line for name, line in handles.items() if not str(name).startswith("_")}
    figure.legend(
        list(named.values()),
        list(named),
        loc="outside upper center",
        ncols=len(named),
        frameon=False,
    )


def _title(attack: str, source: str, seed: int, seeds: bool) -> str:
    """``pgd made on qat``; with its seed where a run has several ``seeds``."""
    title = attack if source == "-" else f"{attack} made on {source}"
    return f"{title}, seed {seed}" if seeds else title


def styled() -> AbstractContextManager[None]:
    """Matplotlib's settings while a figure is drawn or stored; the caller's come back after."""
    return mpl.rc_context(_SETTINGS)


@dataclass(frozen=True)
class Drawing:
    """A figure as it is stored, on white; the same figure gives the same bytes."""

    svg: str
    """One SVG element."""
    png: bytes

    @property
    def inline(self) -> str:
        """The SVG for the inside of a page: no background, and ink in the page's text colour."""
        return self.svg.replace(INK, "currentColor").replace(_PAPER, "none")


def draw(figure: Figure) -> Drawing:
    """Render a figure in both formats."""
    svg, png = io.StringIO(), io.BytesIO()
    with styled():
        figure.savefig(svg, format="svg", facecolor=_PAPER, metadata={"Date": None})
        figure.savefig(
            png,
            format="png",
            facecolor="white",
            dpi=min(_DPI, _MOST_PIXELS / max(figure.get_size_inches())),
        )
    text = svg.getvalue()
    return Drawing(text[text.index("<svg") :], png.getvalue())
