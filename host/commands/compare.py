"""``tinyrobust compare``: two runs of one network side by side, as of two engines or two boards."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.compare import Side

HELP = "put two runs of one network side by side: bytes, instructions or cycles, memory"


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("a", type=Path, metavar="RUN_A", help="a run's folder")
    parser.add_argument("b", type=Path, metavar="RUN_B", help="another one's, of the same network")
    parser.add_argument("--json", action="store_true", help="as JSON on stdout")


def main(args: argparse.Namespace) -> int:
    """Runs it; raises GateFailed where one output byte differs."""
    from rich.console import Console
    from rich.table import Table

    from host.compare import compare
    from host.types import GateFailed

    found = compare(args.a, args.b)
    if args.json:
        print(json.dumps(dataclasses.asdict(found), indent=2))
    else:
        table = Table(title=f"{found.inputs} inputs, {found.differing_bytes} of {found.bytes} output bytes differ")
        for head in ("", found.a.run, found.b.run):
            table.add_column(head)
        for name, left, right in zip(
            *(_rows(side)[i] for side, i in ((found.a, 0), (found.a, 1), (found.b, 1))), strict=True
        ):
            table.add_row(name, left, right)
        Console(width=None if Console().is_terminal else 160).print(table)
    if found.differing_bytes:
        where = f"{found.differing_samples} of {found.inputs} inputs, first at {found.first}"
        raise GateFailed(f"the two devices differ on {where}")
    return 0


def _rows(side: Side) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the figures, and the figures."""
    counts = "not counted" if side.ticks is None else "{:,.0f} [{:,.0f}, {:,.0f}]".format(*side.ticks)
    figures = {
        "board": side.board,
        "engine": side.engine,
        "inferences": f"{side.samples:,}",
        f"{side.tick_unit}, median [p5, p95]": counts,
        "arena and scratch, bytes": "not said" if side.arena_bytes is None else f"{side.arena_bytes:,}",
        "flash of the image, bytes": "not known" if side.flash_bytes is None else f"{side.flash_bytes:,}",
        "accuracy, clean": "no labels" if side.accuracy is None else f"{side.accuracy:.1%}",
    }
    return tuple(figures), tuple(figures.values())
