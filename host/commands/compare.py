"""``tinyrobust compare``: two runs of one network side by side, as of two engines or two boards."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tinyrobust.host.commands.options import add_json

if TYPE_CHECKING:
    from tinyrobust.host.analysis.compare import Side

HELP = "put two runs of one network side by side: bytes, instructions or cycles, memory"


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("a", type=Path, metavar="RUN_A", help="a run's folder")
    parser.add_argument("b", type=Path, metavar="RUN_B", help="another one's, of the same network")
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    """Runs it; raises GateFailed where one output byte differs."""
    from tinyrobust.core.errors import GateFailed
    from tinyrobust.host.analysis.compare import compare
    from tinyrobust.host.commands.terminal.tables import Column, show

    found = compare(args.a, args.b)
    if args.json:
        print(json.dumps(dataclasses.asdict(found), indent=2))
    else:
        title = (
            f"{found.inputs} inputs, {found.differing_bytes} of {found.bytes} output bytes differ"
        )
        heads = ("", found.a.run, found.b.run, "ratio")
        show([Column(head) for head in heads], _rows(found.a, found.b), title)
    if found.differing_bytes:
        where = f"{found.differing_samples} of {found.inputs} inputs, first at {found.first}"
        raise GateFailed(f"the two devices differ on {where}")
    return 0


def _rows(a: Side, b: Side) -> Iterator[tuple[str, str, str, str]]:
    """Rows of (name of a figure, left, right, ratio).

    The ratio is the second by the first where both are of one unit.
    """
    yield "board", a.board, b.board, ""
    yield "engine", a.engine, b.engine, ""
    yield "inferences", f"{a.samples:,}", f"{b.samples:,}", ""
    medians = [side.counts[0] if side.counts else None for side in (a, b)]
    ratio = _ratio(*medians) if a.unit == b.unit else ""
    yield "one inference, median [p5, p95]", _counts(a), _counts(b), ratio
    for name, left, right in (
        ("arena and scratch, bytes", a.arena_bytes, b.arena_bytes),
        ("network in flash, bytes", a.network_bytes, b.network_bytes),
        ("flash of the image with it, bytes", a.flash_bytes, b.flash_bytes),
    ):
        yield name, _size(left), _size(right), _ratio(left, right)
    yield "accuracy, clean", _share(a.accuracy), _share(b.accuracy), ""


def _counts(side: Side) -> str:
    if side.counts is None:
        return "not counted"
    middle, low, high = side.counts
    return f"{middle:,.0f} [{low:,.0f}, {high:,.0f}] {side.unit}"


def _size(n: int | None) -> str:
    return "not known" if n is None else f"{n:,}"


def _share(accuracy: float | None) -> str:
    return "no labels" if accuracy is None else f"{accuracy:.1%}"


def _ratio(left: float | None, right: float | None) -> str:
    return f"{right / left:.2f}" if left and right else ""
