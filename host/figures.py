"""How every figure of the report looks and is stored."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

INK = "#0b0c0d"
"""Black of every text and axis; a sentinel, so that the report can put the page's own colour in its place."""

_PAPER = "#fefefe"
"""White of the figure's background, a sentinel too."""

_SETTINGS: Any = {
    "svg.fonttype": "none",
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


def styled() -> AbstractContextManager[None]:
    """Matplotlib's settings while a figure of the report is drawn or stored; the caller's own come back after."""
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
        figure.savefig(png, format="png", facecolor="white", dpi=144)
    text = svg.getvalue()
    return Drawing(text[text.index("<svg") :], png.getvalue())
