"""``tinyrobust doctor``: each tool, its version, and what cannot be done without what is missing."""

from __future__ import annotations

import argparse
import dataclasses
import json

HELP = "list each tool, its version and what is missing"


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("--json", action="store_true", help="as JSON on stdout")


def main(args: argparse.Namespace) -> int:
    """Runs it; 0 also where something is missing: what is missing may not be needed."""
    from rich.console import Console
    from rich.table import Table

    from host.doctor import doctor

    rows = doctor()
    if args.json:
        print(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))
        return 0
    table = Table()
    for name in ("tool", "version", "needed for", "remedy"):
        table.add_column(name)
    for row in rows:
        table.add_row(row.tool, row.version or "MISSING", row.needed_for, row.remedy)
    Console().print(table)
    return 0
