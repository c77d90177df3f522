"""What every study's command shares: its arguments, its words for figures, its page, its end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tinyrobust.core.errors import BenchError
from tinyrobust.core.stats import paired_difference, wilson
from tinyrobust.core.types import BoolArray


def share(right: BoolArray) -> str:
    """A share in % with Wilson's 95 % interval; ``right`` bool [n], n at least 1."""
    hits, n = int(right.sum()), len(right)
    low, high = wilson(hits, n)
    return f"{100 * hits / n:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def lost_and_gained(before: BoolArray, after: BoolArray) -> tuple[int, int]:
    """Of the same samples, bool [n], how many are right before alone, and how many after alone."""
    return int(np.sum(before & ~after)), int(np.sum(after & ~before))


def difference(lost: int, gained: int, n: int) -> str:
    """Points between ``n`` pairs, ``lost`` gone wrong and ``gained`` right, with 95 % interval."""
    low, high = paired_difference(lost, gained, n)
    return f"{100 * (gained - lost) / n:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def arguments(name: str, text: str | None) -> argparse.ArgumentParser:
    """The parser of ``python -m tinyrobust.studies.NAME``, described by its module's ``text``."""
    return argparse.ArgumentParser(prog=f"python -m tinyrobust.studies.{name}", description=text)


def bench_arguments(name: str, text: str | None, board: str, page: str) -> argparse.ArgumentParser:
    """``arguments`` of a study that runs the bench: --board, --out and --page, by default these."""
    parser = arguments(name, text)
    parser.add_argument("--board", default=board, help="a name that `tinyrobust boards` lists")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="folder of the runs")
    parser.add_argument("--page", type=Path, default=Path(page), help="where the results go")
    return parser


def exit_code(study: Callable[[], int]) -> int:
    """What ``study`` returns; where it fails, one line on stderr and the code of its error."""
    try:
        return study()
    except BenchError as err:
        print(f"error: {err}", file=sys.stderr)
        return err.exit_code


def write_page(path: Path, made: Callable[[], str]) -> int:
    """Writes what ``made`` returns to ``path``; the exit code of the study."""

    def written() -> int:
        text = made()
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as err:
            raise BenchError(f"{path}: {err.strerror}") from None
        print(f"{path} written")
        return 0

    return exit_code(written)
