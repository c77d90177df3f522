"""How every figure of the report looks and is stored."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

INK = "#0b0c0d"
"""Black of every text and axis; a sentinel, so that the report can put the page's own colour in its place."""

_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tinyrobust",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
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


def save(figure: Figure, path: Path) -> None:
    """Write ``path`` (.svg or .png), on white. The same figure gives the same bytes."""
    with styled():
        figure.savefig(path, dpi=144, facecolor="white", metadata={"Date": None} if path.suffix == ".svg" else None)


def inline_svg(figure: Figure) -> str:
    """The figure as an SVG element without a background, its ink in the page's text colour."""
    out = io.StringIO()
    with styled():
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    svg = out.getvalue()
    return svg[svg.index("<svg") :].replace(INK, "currentColor")
