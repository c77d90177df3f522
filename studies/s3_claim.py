"""S3's claim, tested: is the deeply quantized, Jacobian-regularized network more robust than MLPerf Tiny's ResNet8?

``python -m studies.s3_claim`` attacks three networks, white-box, with FGSM and PGD at the same budgets on the same
CIFAR-10 test images: the published ResNet8 (int8, after training), and our network in the spirit of Ayaz et al. 2023
(arXiv:2304.12829) in stochastic ternary, without and with its per-layer Jacobian penalty. The float rungs are attacked
through the float network, the integer rungs through the integer network itself. The paper claims +8.3 points.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from host.attach import attach
from host.boards import get_board
from host.commands.run import say
from host.config import Config
from host.groups import Group, groups
from host.progress import Progress
from host.report import read_run, write_report
from host.run import execute
from host.stats import paired_difference, wilson
from host.types import BenchError, Cell
from models.download import cache_folder
from models.ladder import Ladder
from models.mlperf_tiny import calibration_rows, resnet8, unseen
from models.zoo import open_model

REFERENCE = "mlperf-resnet8"
OURS = ("s3-ternary", "s3-ternary-jr")
ATTACKS = ("fgsm", "pgd")
LEVELS = (1, 2, 4, 8)
SAMPLES = 1_000
CLAIM = "+8.3"
"""Points of white-box robustness over MLCommons/Tiny on CIFAR-10, Ayaz et al. 2023."""


@dataclass(frozen=True)
class Answers:
    """What the rungs of one network answered, by cell and rung."""

    name: str
    cells: dict[Cell, dict[str, Group]]

    def group(self, attack: str, level: int, rung: str) -> Group | None:
        """The predictions of ``rung`` under the attack that knows it best: made on float32, or on the twin."""
        source = "-" if attack == "clean" else "float32" if rung == "float32" else "twin"
        return self.cells[Cell(attack, source, level / 255)].get(rung)


def open_ladder(name: str, cache: Path) -> Ladder:
    """The network on the test images that MLPerf's calibration has not seen."""
    if name == REFERENCE:
        return resnet8(cache, say)
    ladder = open_model(name, cache, say)
    return replace(ladder, test=unseen(ladder.test, calibration_rows(say)))


def answers(name: str, board: str, samples: int, out: Path, attacks: tuple[str, ...] = ATTACKS) -> Answers:
    """Runs, or finishes, or just finds, the bench of one network."""
    config = Config(
        model=f"zoo:{name}",
        board=board,
        attacks=attacks,
        eps=tuple(level / 255 for level in LEVELS),
        sources=("float32", "twin"),
        samples=samples,
        out=out,
    )
    cache = cache_folder()
    with attach(get_board(board), say) as device, Progress() as progress:
        command = "python -m studies.s3_claim"
        outcome = execute(config, open_ladder(name, cache), device, cache, progress.say, progress.tick, command)
    write_report(outcome.path)
    return read(name, outcome.path)


def read(name: str, run: Path) -> Answers:
    """What the rungs of a run of ``name`` answered."""
    _, table = read_run(run)
    return Answers(name, groups(table))


def table(found: list[Answers]) -> list[str]:
    """Accuracy in % with its 95 % interval, by attack, budget and rung; one column a network."""
    lines = ["| attack | eps | rung | " + " | ".join(one.name for one in found) + " |", "|---" * (3 + len(found)) + "|"]
    for attack, level in (("clean", 0), *((a, level) for a in ATTACKS for level in LEVELS)):
        rungs = dict.fromkeys(rung for one in found for cell in one.cells.values() for rung in cell)
        for rung in rungs:
            shares = " | ".join(_share(one.group(attack, level, rung)) for one in found)
            lines.append(f"| {attack} | {level}/255 | `{rung}` | {shares} |")
    return lines


def claim(found: list[Answers], rung: str) -> list[str]:
    """Paired differences in points on ``rung``: each of our networks minus the reference, on the same images."""
    reference, *ours = found
    lines = ["| attack | eps | " + " | ".join(f"{one.name} minus {REFERENCE}" for one in ours) + " |"]
    lines.append("|---" * (2 + len(ours)) + "|")
    for attack, level in (("clean", 0), *((a, level) for a in ATTACKS for level in LEVELS)):
        base = reference.group(attack, level, rung)
        columns = " | ".join(_difference(base, one.group(attack, level, rung)) for one in ours)
        lines.append(f"| {attack} | {level}/255 | {columns} |")
    return lines


def _share(group: Group | None) -> str:
    if group is None:
        return "-"
    right, n = int(group.right.sum()), len(group.sample)
    low, high = wilson(right, n)
    return f"{100 * right / n:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _difference(base: Group | None, other: Group | None) -> str:
    if base is None or other is None or not np.array_equal(base.sample, other.sample):
        return "-"
    lost, gained = int(np.sum(base.right & ~other.right)), int(np.sum(other.right & ~base.right))
    n = len(base.sample)
    low, high = paired_difference(lost, gained, n)
    return f"{100 * (gained - lost) / n:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def main() -> int:
    """Prints both tables in Markdown. Resumes where it was interrupted."""
    parser = argparse.ArgumentParser(prog="python -m studies.s3_claim", description=__doc__)
    parser.add_argument("--board", default="qemu_an500", help="a name that `tinyrobust boards` lists")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="the first so many test images")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="folder of the runs")
    args = parser.parse_args()
    try:
        found = [answers(name, args.board, args.samples, args.out) for name in (REFERENCE, *OURS)]
    except BenchError as err:
        print(f"error: {err}", file=sys.stderr)
        return err.exit_code
    device = "native" if args.board == "native" else "board"
    print(f"Accuracy in %, 95 % interval, n = {args.samples}, {args.board}:\n")
    print("\n".join(table(found)))
    print(f"\nDifference in points on `{device}`, 95 % interval, paired; the paper claims {CLAIM}:\n")
    print("\n".join(claim(found, device)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
