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
    from host.doctor import doctor
    from host.terminal import Column, show

    rows = doctor()
    if args.json:
        print(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))
        return 0
    columns = [Column(name) for name in ("tool", "version", "needed for", "remedy")]
    show(columns, [(row.tool, row.version or "MISSING", row.needed_for, row.remedy) for row in rows])
    return 0
