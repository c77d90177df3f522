"""What is certified of the digits networks, at how many levels, by which bounds.

``python -m tinyrobust.studies.certified_digits`` certifies the committed digits networks of 8, 4
and 2 bits with ``--method auto`` and a budget for branch and bound, and writes the last section of
``docs/certified.md``. Cheap bounds come first and dearer ones only where those fail, so one pass
gives all columns. The same command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyrobust.core.cache import cache_folder
from tinyrobust.core.errors import UsageError
from tinyrobust.core.progress import to_stderr
from tinyrobust.host.records.certificates.read import read_rows
from tinyrobust.host.records.certificates.schema import Certificate
from tinyrobust.host.runs.certify import Job, certify
from tinyrobust.models.zoo.catalog import open_model
from tinyrobust.studies.pages import arguments, share, write_page

NETWORKS = ("digits-8bit", "digits-8bit-jr", "digits-4bit-jr", "digits-ternary-jr")
LEVELS = (1, 2, 4, 8)
HEAD = "## Measured\n"
"""Where the section of the page begins that this writes."""
INTERVALS, LINES = ("interval",), ("interval", "crown-ibp", "linear")
COMMAND = "python -m tinyrobust.studies.certified_digits"


def table(rows: dict[str, Sequence[Certificate]]) -> str:
    """Markdown: one line for each network and number of levels; shares in % with 95 % intervals."""
    lines = [
        "| network | eps | n | clean | intervals | linear bounds | with branch and bound | broken "
        "| undecided | s a sample |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, found in rows.items():
        for levels in sorted({row.levels for row in found}):
            lines.append(_line(name, levels, [row for row in found if row.levels == levels]))
    return "\n".join(lines)


def _line(name: str, levels: int, rows: Sequence[Certificate]) -> str:
    status = np.array([row.status for row in rows])
    method = np.array([row.method for row in rows])
    proven = status == "certified"
    cells = (
        name,
        f"{levels}/255",
        str(len(rows)),
        share(status != "wrong"),
        share(proven & np.isin(method, INTERVALS)),
        share(proven & np.isin(method, LINES)),
        share(proven),
        str(int((status == "broken").sum())),
        str(int((status == "undecided").sum())),
        f"{np.mean([row.seconds for row in rows]):.2f}",
    )
    return f"| {' | '.join(cells)} |"


def section(rows: dict[str, Sequence[Certificate]], samples: int, budget: float) -> str:
    """The last section of the page."""
    return (
        f"{HEAD}\n`{COMMAND} --samples {samples} --budget {budget:g}`: the first {samples} test "
        f"samples of digits, `--method auto` with {budget:g} s of branch and bound for each sample "
        "that its bounds leave undecided. Each column has what the one before it certifies, too; "
        f"shares in % with 95 % intervals.\n\n{table(rows)}\n"
    )


def written(page: str, made: str) -> str:
    """``page`` with its last section in the place of the old one. Raises UsageError without one."""
    kept, head, _ = page.partition(HEAD)
    if not head:
        raise UsageError(f"the page has no section {HEAD.strip()!r} to write")
    return kept + made


def main() -> int:
    """Runs it."""
    parser = arguments("certified_digits", __doc__)
    parser.add_argument("--out", type=Path, default=Path("runs"), help="folder of certificates")
    parser.add_argument("--page", type=Path, default=Path("docs/certified.md"))
    parser.add_argument("--samples", type=int, default=100, help="the first so many")
    parser.add_argument("--budget", type=float, default=10.0, help="seconds a sample")
    parser.add_argument("--networks", nargs="+", default=NETWORKS, help="of the zoo")
    args = parser.parse_args()
    return write_page(args.page, lambda: _made(args))


def _made(args: argparse.Namespace) -> str:
    job = Job(LEVELS, "auto", args.budget, args.samples)
    rows: dict[str, Sequence[Certificate]] = {}
    for name in args.networks:
        ladder = open_model(name, cache_folder(), to_stderr)
        done = certify(args.out, ladder, job, to_stderr, COMMAND)
        ladder.close()
        wanted = (row for row in read_rows(done.folder) if row.sample < args.samples)
        rows[name] = [row for row in wanted if row.levels in LEVELS]
    return written(args.page.read_text(encoding="utf-8"), section(rows, args.samples, args.budget))


if __name__ == "__main__":
    sys.exit(main())
