"""Pictures of what the chip was shown: clean, adversarial, and the perturbation, amplified by a stated factor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from host.examples import Examples
from host.figures import INK, styled
from host.metrics import STEPS
from host.types import Cell, Int8Array

_SAMPLES = 3
_PER_ATTACK = 3
_GREY, _HEAT, _SIGNED = "gray", "viridis", "RdBu_r"


def pictures(examples: Examples, class_names: Sequence[str]) -> Figure | None:
    """A row for each chosen cell, ``_SAMPLES`` samples in each. None if no cell was perturbed."""
    chosen = _choose(examples.cells)
    if not chosen or not examples.clean.shape[1]:
        return None
    samples = min(_SAMPLES, examples.clean.shape[1])
    vector = len(_squeezed(examples.clean.shape[2:])) not in (2, 3)
    wide, high = (1.3, 0.9) if vector else (0.95, 1.02)
    with styled():
        figure = Figure(figsize=(wide * 3 * samples + 1.6, high * len(chosen) + 0.5), layout="constrained")
        grid = figure.subplots(len(chosen), 3 * samples, squeeze=False)
        for axes, k in zip(grid, chosen, strict=True):
            clean, adversarial = examples.clean[k, :samples], examples.adversarial[k, :samples]
            factor = amplification(clean, adversarial)
            axes[0].set_ylabel(
                f"{_title(examples.cells[k])}\nperturbation x{factor}", rotation=0, ha="right", va="center", fontsize=8
            )
            for m in range(samples):
                _triple(axes[3 * m : 3 * m + 3], clean[m], adversarial[m], factor)
        for m in range(samples):
            name = _class(int(examples.labels[chosen[0], m]), class_names)
            for axis, text in zip(grid[0][3 * m : 3 * m + 3], (name or "clean", "attacked", "change"), strict=True):
                axis.set_title(text, fontsize=8)
    return figure


def amplification(clean: Int8Array, adversarial: Int8Array) -> int:
    """The factor that makes the largest change of these samples fill the signed range; 1 if nothing changed."""
    largest = int(np.abs(adversarial.astype(np.int16) - clean).max(initial=0))
    return max(1, 127 // largest) if largest else 1


def _choose(cells: Sequence[Cell]) -> list[int]:
    """Up to ``_PER_ATTACK`` budgets of each attack and source, spread from the smallest to the largest."""
    chosen: list[int] = []
    kinds = dict.fromkeys((c.attack, c.source) for c in cells if c.eps * STEPS >= 1)
    for kind in kinds:
        mine = [k for k, c in enumerate(cells) if (c.attack, c.source) == kind and c.eps * STEPS >= 1]
        mine.sort(key=lambda k: cells[k].eps)
        spread = np.linspace(0, len(mine) - 1, min(_PER_ATTACK, len(mine)))
        chosen += [mine[round(at)] for at in spread]
    return chosen


def _title(cell: Cell) -> str:
    where = "" if cell.source == "-" else f" on {cell.source}"
    return f"{cell.attack}{where}\neps {cell.eps * STEPS:.3g}/255"


def _class(label: int, class_names: Sequence[str]) -> str:
    return class_names[label] if 0 <= label < len(class_names) else ""


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(d for d in shape if d != 1)


def _triple(axes: NDArray[np.object_], clean: Int8Array, adversarial: Int8Array, factor: int) -> None:
    change = (adversarial.astype(np.int16) - clean) * factor
    shape = _squeezed(clean.shape)
    for axis in axes:
        axis.set_xticks([])
        axis.set_yticks([])
        for spine in axis.spines.values():
            spine.set_visible(False)
    if len(shape) == 2:
        _plane(axes, clean.reshape(shape), adversarial.reshape(shape), change.reshape(shape))
    elif len(shape) == 3 and shape[-1] == 3:
        for axis, values in zip(axes, (clean, adversarial, change), strict=True):
            axis.imshow(np.clip(values.astype(np.int16) + 128, 0, 255).astype(np.uint8), interpolation="none")
    else:
        for axis, values in zip(axes, (clean, adversarial, change), strict=True):
            _line(axis, values.ravel())


def _plane(axes: NDArray[np.object_], clean: Int8Array, adversarial: Int8Array, change: NDArray[np.int16]) -> None:
    """A grey picture if it is about square, else a spectrogram with time to the right."""
    image = max(clean.shape) <= 2 * min(clean.shape)
    for axis, values in zip(axes, (clean, adversarial), strict=False):
        if image:
            axis.imshow(values, cmap=_GREY, vmin=-128, vmax=127, interpolation="none")
        else:
            axis.imshow(values.T, cmap=_HEAT, vmin=-128, vmax=127, interpolation="none", aspect="auto", origin="lower")
    if image:
        axes[2].imshow(change, cmap=_SIGNED, vmin=-127, vmax=127, interpolation="none")
    else:
        axes[2].imshow(change.T, cmap=_SIGNED, vmin=-127, vmax=127, interpolation="none", aspect="auto", origin="lower")


def _line(axis: Axes, values: NDArray[np.integer]) -> None:
    width = math.ceil(len(values) / 640)
    axis.plot(values[::width], color=INK, linestyle="none", marker=".", markersize=1)
    axis.set_ylim(-130, 130)
