"""Pictures of what the chip was shown: clean, adversarial, and the amplified perturbation.

The factor is stated beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tinyrobust.core.cells import Cell
from tinyrobust.core.types import IntArray
from tinyrobust.host.analysis.budgets import of_cell
from tinyrobust.host.analysis.metrics import STEPS
from tinyrobust.host.records.examples import Examples
from tinyrobust.host.records.schema import Manifest
from tinyrobust.host.report.figures import INK, styled

_SAMPLES = 3
_PER_ATTACK = 3
_ROWS = 20
"""About so many of them for attacks that could have more than one."""
_MOST_ROWS = 200
_PICTURE, _GAP = 0.9, 0.06
_MARGIN, _HEAD = 1.9, 0.3
"""Inches: side of a picture, room around it, room for the text at the left and above."""

Plane = NDArray[np.float32]


def pictures(examples: Examples, manifest: Manifest) -> Figure | None:
    """A row for each chosen cell, ``_SAMPLES`` samples in each. None if no cell was perturbed."""
    rows = chosen(examples.cells, manifest.input_steps)[:_MOST_ROWS]
    samples = min(_SAMPLES, examples.clean.shape[1])
    if not rows or not samples:
        return None
    width = _MARGIN + 3 * samples * (_PICTURE + _GAP)
    height = _HEAD + len(rows) * (_PICTURE + _GAP)
    with styled():
        figure = Figure(figsize=(width, height))
        # One pair of axes in inches for everything: a pair for every picture takes seconds.
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.axis("off")
        for m in range(samples):
            name = _class(int(examples.labels[rows[0], m]), manifest.class_names)
            for column, text in enumerate((name or "clean", "attacked", "change")):
                x = _left(3 * m + column) + _PICTURE / 2
                axes.text(x, height - _HEAD + _GAP, text, ha="center", fontsize=8)
        for line, k in enumerate(rows):
            bottom = height - _HEAD - (line + 1) * (_PICTURE + _GAP) + _GAP
            clean, adversarial = (
                as_int8(part[k, :samples], manifest)
                for part in (examples.clean, examples.adversarial)
            )
            factor = amplification(clean, adversarial)
            text = f"{_title(examples.cells[k], manifest)}\nchange x{factor}"
            axes.text(
                _MARGIN - 2 * _GAP, bottom + _PICTURE / 2, text, ha="right", va="center", fontsize=8
            )
            for m in range(samples):
                change = (adversarial[m] - clean[m]) * factor
                for column, values in enumerate((clean[m], adversarial[m], change)):
                    _draw(
                        axes,
                        _left(3 * m + column),
                        bottom,
                        values,
                        signed=column == 2,
                    )
        axes.set(xlim=(0, width), ylim=(0, height), aspect="auto")
    return figure


def as_int8(levels: IntArray, manifest: Manifest) -> Plane:
    """``levels`` of the run's input grid where they lie between -128 and 127."""
    share = (levels.astype(np.float32) - manifest.input_lowest) / np.float32(manifest.input_steps)
    return np.asarray(share * STEPS - 128, np.float32)


def amplification(clean: NDArray[Any], adversarial: NDArray[Any]) -> int:
    """The factor by which changes are shown: the largest then fills the signed range.

    It is 1 where nothing changed.
    """
    largest = float(np.abs(adversarial.astype(np.float32) - clean).max(initial=0))
    return max(1, int(127 / largest + 1e-3)) if largest else 1


def _left(column: int) -> float:
    return _MARGIN + column * (_PICTURE + _GAP)


def chosen(cells: Sequence[Cell], steps: int = STEPS) -> list[int]:
    """Up to ``_PER_ATTACK`` budgets of each attack and source, the smallest to the largest.

    Where attacks are many, it is the one in the middle. ``steps`` are the input grid's.
    """
    picked: list[int] = []
    reaching = [k for k, cell in enumerate(cells) if cell.eps * steps >= 1]
    kinds = dict.fromkeys((cells[k].attack, cells[k].source) for k in reaching)
    most = min(_PER_ATTACK, max(1, _ROWS // max(1, len(kinds))))
    for kind in kinds:
        mine = [k for k in reaching if (cells[k].attack, cells[k].source) == kind]
        mine.sort(key=lambda k: cells[k].eps)
        last = len(mine) - 1
        spread = np.linspace(0, last, min(most, len(mine))) if most > 1 else np.array([last / 2])
        picked += [mine[round(at)] for at in spread]
    return picked


def _title(cell: Cell, manifest: Manifest) -> str:
    where = "" if cell.source == "-" else f" on {cell.source}"
    return f"{cell.attack}{where}\n{of_cell(cell, manifest)}"


def _class(label: int, class_names: Sequence[str]) -> str:
    return class_names[label] if 0 <= label < len(class_names) else ""


def _draw(axes: Axes, x: float, y: float, values: Plane, signed: bool) -> None:
    """Draws one sample, or one ``signed`` change, into the square at (x, y).

    It is a picture, a spectrogram or a curve.
    """
    shape = tuple(d for d in values.shape if d != 1)
    values = np.clip(values, -128, 127).reshape(shape)
    extent = (x, x + _PICTURE, y, y + _PICTURE)
    if len(shape) == 3 and shape[-1] == 3:
        axes.imshow(np.rint(values + 128).astype(np.uint8), extent=extent, interpolation="none")
    elif len(shape) == 2 and max(shape) <= 2 * min(shape):
        colours = "RdBu_r" if signed else "gray"
        axes.imshow(values, extent=extent, cmap=colours, vmin=-128, vmax=127, interpolation="none")
    elif (
        len(shape) == 2
    ):  # longer than wide: a spectrogram, time to the right, low frequencies below
        colours = "RdBu_r" if signed else "viridis"
        axes.imshow(
            values.T,
            extent=extent,
            cmap=colours,
            vmin=-128,
            vmax=127,
            interpolation="none",
            origin="lower",
        )
    else:
        flat = values.ravel()
        across = x + (np.arange(flat.size) + 0.5) / flat.size * _PICTURE
        line = ("none", ".") if signed else ("-", "none")
        up = y + (flat + 128.0) / 255 * _PICTURE
        axes.plot(
            across,
            up,
            color=INK,
            linestyle=line[0],
            marker=line[1],
            lw=0.4,
            ms=0.6,
            rasterized=signed,
        )
