"""``tinyrobust report``: write a run's summary, plots and report again from its records."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "write the report of a run again, from its records alone"


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument(
        "run", type=Path, metavar="RUN_DIR", help="a run's folder, e.g. runs/digits-native-..."
    )
    parser.add_argument("--json", action="store_true", help="the figures as JSON on stdout")


def main(args: argparse.Namespace) -> int:
    """Runs it."""
    from tinyrobust.host.commands.output import show
    from tinyrobust.host.report.page import write_report

    paths = write_report(args.run)
    show(args.run, str(paths.html), args.json)
    return 0
