"""A run folder to its report: summary.csv, curves, pictures and one self-contained page.

Pure; runs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jinja2
import numpy as np
import pyarrow as pa
from markupsafe import Markup

from tinyrobust.core.cells import FlagKind
from tinyrobust.core.files import write_whole
from tinyrobust.host.analysis.band import Bands, bands
from tinyrobust.host.analysis.budgets import asked, of_cell, of_levels, of_row, reached, returned
from tinyrobust.host.analysis.distances import Distances, distances, quartiles
from tinyrobust.host.analysis.divergence import DEVICES, divergences
from tinyrobust.host.analysis.flags import ADVICE, flags
from tinyrobust.host.analysis.metrics import SummaryRow, attribution, summarise
from tinyrobust.host.analysis.scores import agreements
from tinyrobust.host.analysis.worst_case import WorstCase, worst_cases
from tinyrobust.host.records.certificates.read import attached
from tinyrobust.host.records.examples import read_examples
from tinyrobust.host.records.intact import presentable
from tinyrobust.host.records.layers import read_layers
from tinyrobust.host.records.read import read_run
from tinyrobust.host.records.schema import Manifest
from tinyrobust.host.records.store import EXAMPLES
from tinyrobust.host.report.band_plot import band_plot
from tinyrobust.host.report.distance_plots import distributions
from tinyrobust.host.report.figures import Drawing, draw
from tinyrobust.host.report.pictures import pictures
from tinyrobust.host.report.plots import curves
from tinyrobust.host.report.rung_table import SIGNIFICANT, rung_table, section_title
from tinyrobust.host.report.tables import distances_csv, summary_csv
from tinyrobust.host.report.verdict import proven_wrong, verdict

REMEDY = "the report cannot be written: make room there, or let the folder be written to"
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class ReportPaths:
    """What ``write_report`` wrote. A figure is None where there was nothing to draw."""

    html: Path
    csv: Path
    curves_svg: Path | None
    curves_png: Path | None
    examples_svg: Path | None
    examples_png: Path | None
    distances_svg: Path | None
    distances_png: Path | None
    band_svg: Path | None
    band_png: Path | None


@dataclass(frozen=True)
class Suspect:
    """One kind of flag: where it was seen, and what to try."""

    title: str
    lines: tuple[str, ...]
    advice: str


def write_report(run_dir: Path) -> ReportPaths:
    """Write the report of a finished or interrupted run next to its records, over an older one.

    Reads ``manifest.json``, ``records.parquet`` and, if there, ``examples.npz`` and the
    certificates that ``tinyrobust certify --run`` gave it. The same folder gives the same bytes.
    Raises UsageError on a folder that is no run, and where the files cannot be written.
    """
    manifest, table = read_run(run_dir)
    presentable(table)
    rows = summarise(table, manifest)
    far = distances(table, manifest)
    examples = run_dir / EXAMPLES
    grid = None
    if examples.exists():
        grid = pictures(read_examples(examples, manifest.input_shape), manifest)
    certified = bands(table, attached(run_dir, manifest))
    figures = {
        "curves": curves(rows),
        "examples": grid,
        "distances": distributions(far),
        "band": band_plot(certified.bands) if certified else None,
    }
    drawings = {stem: draw(one) if one else None for stem, one in figures.items()}
    worst = worst_cases(table, manifest)
    html = _page(run_dir, manifest, table, rows, worst, certified, far, drawings)
    write_whole(run_dir / "summary.csv", summary_csv(rows, worst, certified).encode(), REMEDY)
    if far:
        write_whole(run_dir / "distances.csv", distances_csv(far).encode(), REMEDY)
    files = [_store(one, run_dir / stem) for stem, one in drawings.items()]
    write_whole(run_dir / "report.html", html.encode(), REMEDY)
    return ReportPaths(
        run_dir / "report.html", run_dir / "summary.csv", *files[0], *files[1], *files[2], *files[3]
    )


def _page(
    run_dir: Path,
    manifest: Manifest,
    table: pa.Table,
    rows: list[SummaryRow],
    worst: list[WorstCase],
    certified: Bands | None,
    far: list[Distances],
    drawings: dict[str, Drawing | None],
) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "points": _points, "p": _p, "size": _size}
    environment.filters |= {
        "levels": of_levels,
        "budget": of_row,
        "reached": reached,
        "returned": returned,
    }
    return environment.get_template("report.html.j2").render(
        manifest=manifest,
        folder=run_dir.name,
        suspects=_suspects(table, manifest),
        verdicts=[
            *proven_wrong(certified),
            *verdict(divergences(table), manifest, agreements(table)),
        ],
        worst=worst,
        certified=certified,
        band=_markup(drawings["band"]),
        asked=partial(asked, minimises=False),
        rungs=rung_table(rows, attribution(table, manifest)),
        labelled=any(row.accuracy is not None for row in rows),
        significant=SIGNIFICANT,
        rows=rows,
        aimed=[row for row in rows if row.to_target is not None],
        total=len(table),
        curves=_markup(drawings["curves"]),
        pictures=_markup(drawings["examples"]),
        distributions=_markup(drawings["distances"]),
        far=far,
        quartiles=quartiles,
        budget_of=partial(of_cell, manifest=manifest),
        ticks=_ticks(table, manifest),
        layers=read_layers(run_dir, manifest),
    )


def _suspects(table: pa.Table, manifest: Manifest) -> list[Suspect]:
    found: dict[FlagKind, list[str]] = {}
    for flag in flags(table, manifest):
        where = f"{section_title(flag.cell)}, {of_cell(flag.cell, manifest)}"
        where += f", seed {flag.cell.seed}" if len(manifest.seeds) > 1 else ""
        found.setdefault(flag.kind, []).append(f"{where}: {flag.detail}")
    return [Suspect(kind.value, tuple(lines), ADVICE[kind]) for kind, lines in found.items()]


def _markup(drawing: Drawing | None) -> Markup | None:
    """An SVG that passes the page's escaping: Matplotlib has escaped the text in it."""
    return Markup(drawing.inline) if drawing else None  # noqa: S704


def _ticks(table: pa.Table, manifest: Manifest) -> str:
    """Median count per inference on the device.

    An emulator counts no cycles of the chip: they are not called so.
    """
    device = np.isin(table["rung"].to_numpy(zero_copy_only=False), DEVICES)
    counts = table.filter(pa.array(device))["ticks"].drop_null().to_numpy()
    if not len(counts):
        return "not counted"
    unit = "emulated ticks, not time" if manifest.emulated else manifest.tick_unit
    return f"{np.median(counts):,.0f} {unit} (median of {len(counts):,})"


def _store(drawing: Drawing | None, stem: Path) -> tuple[Path | None, Path | None]:
    if drawing is None:
        return None, None
    svg, png = stem.with_suffix(".svg"), stem.with_suffix(".png")
    write_whole(svg, drawing.svg.encode(), REMEDY)
    write_whole(png, drawing.png, REMEDY)
    return svg, png


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "\N{MINUS SIGN}")


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def _size(value: float | None, scale: float = 1) -> str:
    return "–" if value is None else f"{value * scale:.3g}"
