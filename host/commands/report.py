"""``tinyrobust report``: write a run's summary, plots and report again from its records."""

from __future__ import annotations

import argparse

from tinyrobust.host.commands.options import add_json, add_run

HELP = "write the report of a run again, from its records alone"


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    add_run(parser)
    add_json(parser, "the figures as JSON on stdout")


def main(args: argparse.Namespace) -> int:
    """Runs it."""
    from tinyrobust.host.commands.terminal.output import show
    from tinyrobust.host.report.page import write_report

    paths = write_report(args.run)
    show(args.run, str(paths.html), args.json)
    return 0
