"""Accuracy against eps, a line a width: the paper's attack beside the strong one."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tinyrobust.studies.s2.answers import ATTACKS, LEVELS, Answers
from tinyrobust.studies.s2.page import pooled


def draw(found: list[Answers], path: Path) -> None:
    """Writes the picture as SVG or PNG, by the name of ``path``."""
    widths = sorted({one.bits for one in found})
    colours = mpl.colormaps["viridis"].resampled(len(widths))
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots(1, len(ATTACKS), sharey=True)
    for axis, kind in zip(axes, ATTACKS, strict=True):
        for at, bits in enumerate(widths):
            clean, standing = pooled(found, bits, kind)
            shares = [clean.mean(), *standing.mean(axis=0)]
            axis.plot((0, *LEVELS), shares, color=colours(at), label=f"{bits}", linewidth=1.2)
        axis.set_title(kind)
        axis.set_xlabel("eps, levels of 255")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("accuracy")
    axes[-1].legend(title="bits", fontsize="small", ncols=2)
    figure.savefig(path)
