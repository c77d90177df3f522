"""``tinyrobust gate``: judge a finished run by the floors of a bench.toml.

Exit code 1 where one is missed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tinyrobust.host.commands.options import add_run

HELP = "judge a finished run by its floors, for continuous integration"


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    add_run(parser)
    parser.add_argument(
        "--config",
        type=Path,
        metavar="BENCH.toml",
        help="its [gate] table; without it, equal bytes",
    )
    parser.add_argument(
        "--junit", type=Path, metavar="PATH", help="write the verdicts as JUnit XML, too"
    )


def main(args: argparse.Namespace) -> int:
    """Runs it; raises GateFailed where a floor is missed."""
    from tinyrobust.core.files import write_whole
    from tinyrobust.core.plain import printable
    from tinyrobust.host.analysis.gate import check, enforce, junit
    from tinyrobust.host.config.file import load
    from tinyrobust.host.config.floors import Gate
    from tinyrobust.host.report.result import Result

    gate = load(args.config).gate if args.config else Gate()
    result = Result.of(args.run)
    checks = check(
        gate,
        result.rows,
        result.divergence,
        result.manifest,
        result.agreement,
        result.worst,
        result.certified,
    )
    for one in checks:
        print(printable(f"{'pass' if one.passed else 'FAIL'}  {one.name}: {one.detail}"))
    if args.junit:
        write_whole(args.junit, junit(checks, result.manifest.run_id).encode())
    enforce(checks)
    return 0
