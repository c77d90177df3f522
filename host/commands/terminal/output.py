"""How ``run`` and ``report`` end: the figures for a person, or as JSON for a program."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from tinyrobust.host.analysis.budgets import asked, of_cell, of_row, reached
from tinyrobust.host.analysis.metrics import SummaryRow
from tinyrobust.host.analysis.worst_case import WorstCase
from tinyrobust.host.commands.terminal import tables
from tinyrobust.host.commands.terminal.tables import Column, console
from tinyrobust.host.report.result import Result


def show(run: Path, report: str, as_json: bool, **more: int) -> Result:
    """Prints a finished run's figures on stdout and returns them.

    ``more`` are further counts for the JSON.
    """
    result = Result.of(run)
    if as_json:
        found = {"run": str(run), "report": report, **more, **dataclasses.asdict(result)}
        print(json.dumps(found, indent=2))
    else:
        print_result(result)
        print(f"\nReport: {report}")
        for one in result.worst:
            print(headline(one))
        for band in result.certified.bands if result.certified else ():
            print(band)
    return result


def print_result(result: Result) -> None:
    """The tables: one line per attack, source, seed and eps, one column per rung."""
    say, title = console().print, f"{result.manifest.model} on {result.manifest.board}"
    _show(result.rows, f"{title}: accuracy [95 % interval, %]", _share, lambda row: row.n)
    aimed = [row for row in result.rows if row.to_target is not None]
    if aimed:
        heading = f"{title}: moved to their target [95 % interval, %]"
        _show(aimed, heading, _to_target, lambda row: row.to_target_n or 0)
    for a in result.agreement:
        say(
            f"{a.rung} against tflm {a.rounding}: {a.differing_scores} of {a.scores} scores "
            f"differ ({a.differing_samples} of {a.samples} samples), {a.ties} samples tie at the "
            "top: its protocol sends no bytes"
        )
    for d in result.divergence:
        same = (
            "every byte is the same"
            if not d.differing_bytes
            else f"first at {d.first}, largest by {d.largest} levels"
        )
        say(
            f"{d.rung} against tflm: {d.differing_bytes} of {d.bytes} output bytes differ "
            f"({d.differing_samples} of {d.samples} samples): {same}"
        )
    for flag in result.flags:
        cell = flag.cell
        where = f"{cell.attack} {of_cell(cell, result.manifest)} from {cell.source}"
        say(f"suspect: {where}: {flag.kind.value}: {flag.detail}")


def _show(
    found: Sequence[SummaryRow],
    title: str,
    share: Callable[[SummaryRow | None], str],
    count: Callable[[SummaryRow], int],
) -> None:
    """A line for each cell of ``found``, what ``share`` says of it in a column for each rung.

    ``count`` is of how many samples, which may differ between rungs.
    """
    rungs = list(dict.fromkeys(row.rung for row in found))
    names = ("attack", "source", "eps", "reached", "n", *rungs)
    columns = [Column(name, name not in ("attack", "source"), whole=True) for name in names]
    cells: dict[tuple[str, str, float, int], dict[str, SummaryRow]] = {}
    for row in found:
        cells.setdefault((row.attack, row.source, row.eps, row.seed), {})[row.rung] = row
    rows: list[tuple[str, ...]] = []
    for (attack, source, _, _), by_rung in cells.items():
        one = next(iter(by_rung.values()))
        shares = (share(by_rung.get(rung)) for rung in rungs)
        counts = sorted({count(row) for row in by_rung.values()})
        n = "-".join(map(str, dict.fromkeys((counts[0], counts[-1]))))
        rows.append((attack, source, of_row(one), reached(one), n, *shares))
    tables.show(columns, rows, title)


def _to_target(row: SummaryRow | None) -> str:
    if row is None or row.to_target_share is None:
        return "-"
    low, high = 100 * (row.to_target_low or 0), 100 * (row.to_target_high or 0)
    return f"{row.to_target_share:.1%} [{low:.1f}, {high:.1f}]"


def _share(row: SummaryRow | None) -> str:
    if row is None or row.accuracy is None or row.low is None or row.high is None:
        return "-"
    return f"{row.accuracy:.1%} [{100 * row.low:.1f}, {100 * row.high:.1f}]"


def headline(one: WorstCase) -> str:
    """Robust accuracy at one budget, as a sentence."""
    flashed, clean = one.flashed, one.clean
    by = one.strongest
    most = f"; most turned by {by.attack} from {by.source}, {one.turned}" if by else ""
    return (
        f"robust accuracy on {flashed.rung} at {asked(one.eps, one.norm, False)}: "
        f"{flashed.accuracy:.1%} [{100 * flashed.low:.1f}, {100 * flashed.high:.1f}], "
        f"n = {flashed.n} (clean {clean.accuracy:.1%}{most})"
    )
