"""``make mutants``: changes one line at a time and counts the changes that no test notices.

Goes on where it was.

Exit status 0, 1 where the survivors of a part are a tenth of its sample or more, 2 where tests fail
by themselves.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence

from tests.mutation.forks import Child, Mutated, ended, measured, preload, start
from tests.mutation.report import MOST_SURVIVORS, report
from tests.mutation.results import Mutant, Outcome, keep, known, load, tests_digest
from tests.mutation.table import ROOT, ROWS, Row, source_file

GENERATOR = (
    str(ROOT / ".mutants-venv" / "bin" / "python"),
    str(ROOT / "tests" / "mutation" / "generate.py"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """See above."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.run", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(row.name for row in ROWS)} (all)"
    )
    parser.add_argument(
        "--sample",
        type=int,
        default=120,
        help="mutants of each part, 0 for every one (%(default)s)",
    )
    parser.add_argument(
        "--seconds", type=float, default=900, help="time for each part (%(default)s)"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes (%(default)s)"
    )
    given = parser.parse_args(arguments)
    rows = [row for row in ROWS if row.name in (given.parts or [row.name])]
    if unknown := set(given.parts) - {row.name for row in rows}:
        parser.error(f"{', '.join(sorted(unknown))}: no such part")
    os.chdir(ROOT)
    # As models/tf.py says it, which here comes after TensorFlow.
    os.environ.update(TF_USE_LEGACY_KERAS="1", CUDA_VISIBLE_DEVICES="-1")
    shares = []
    for row in rows:
        drawn, candidates = sample(row, given.sample)
        tests = tests_digest(row)
        try:
            execute(row, drawn, tests, given.jobs, time.monotonic() + given.seconds)
        except RuntimeError as err:
            print(f"{row.name}: {err}", file=sys.stderr)
            return 2
        shares.append(report(row, drawn, candidates, known(load(), drawn, tests)))
    return int(any(share >= MOST_SURVIVORS for share in shares))


def sample(row: Row, size: int) -> tuple[list[Mutant], int]:
    """Mutants of a part, and how many there would be."""
    command = [
        *GENERATOR,
        str(size),
        *(str(source_file(module).relative_to(ROOT)) for module in row.sources),
    ]
    made = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return [Mutant(**one) for one in made["drawn"]], made["candidates"]


def execute(row: Row, drawn: Sequence[Mutant], tests: str, jobs: int, until: float) -> None:
    """Runs what is not known yet, several at a time, up to the moment ``until``."""
    results = known(load(), drawn, tests)
    left = [mutant for mutant in drawn if mutant.key not in results]
    if not left:
        return
    preload(row.libraries)
    limits = measured(row.test_files())
    running: dict[Child, Mutant] = {}
    while running or (left and time.monotonic() < until):
        while left and len(running) < jobs and time.monotonic() < until:
            mutant = left.pop(0)
            module = next(name for name in row.sources if source_file(name) == ROOT / mutant.path)
            running[
                start(row.test_files(), Mutated(module, ROOT / mutant.path, mutant.source), limits)
            ] = mutant
        time.sleep(0.01)
        for child in list(running):
            outcome = ended(child, limits)
            if outcome is not None:
                seconds = round(time.monotonic() - child.started, 2)
                keep(Outcome(running.pop(child).key, tests, outcome, seconds))
        if sys.stderr.isatty():
            print(f"\r{row.name}: {len(left) + len(running)} to go  ", end="", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
