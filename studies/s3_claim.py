"""S3's claim, tested: is its kind of network more robust than MLPerf Tiny's ResNet8?

Its network is deeply quantized and Jacobian-regularized.

``python -m tinyrobust.studies.s3_claim`` attacks three networks, white-box, with FGSM and PGD at
the same budgets on the same CIFAR-10 test images: the published ResNet8 (int8, after training), and
our network in the spirit of Ayaz et al. 2023 (arXiv:2304.12829) in stochastic ternary, without and
with its per-layer Jacobian penalty. The float rungs are attacked through the float network, the
integer rungs through the integer network itself. The paper claims +8.3 points.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from tinyrobust.core.cells import Cell
from tinyrobust.core.progress import to_stderr
from tinyrobust.host.analysis.groups import Group, groups
from tinyrobust.host.config.bench import Config
from tinyrobust.host.records.read import read_run
from tinyrobust.models.rungs.ladder import Ladder
from tinyrobust.models.zoo.catalog import open_model
from tinyrobust.models.zoo.mlperf_tiny import calibration_rows, resnet8, unseen
from tinyrobust.studies.pages import bench_arguments, difference, share, write_page
from tinyrobust.studies.runs import run

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
        """The predictions of ``rung`` under the attack that knows it best.

        That attack is made on float32, or on the twin.
        """
        source = "-" if attack == "clean" else "float32" if rung == "float32" else "twin"
        return self.cells[Cell(attack, source, level / 255)].get(rung)


def open_ladder(name: str, cache: Path) -> Ladder:
    """The network on the test images that MLPerf's calibration has not seen."""
    if name == REFERENCE:
        return resnet8(cache, to_stderr)
    ladder = open_model(name, cache, to_stderr)
    return replace(ladder, test=unseen(ladder.test, calibration_rows(to_stderr)))


def answers(
    name: str, board: str, samples: int, out: Path, attacks: tuple[str, ...] = ATTACKS
) -> Answers:
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
    command = "python -m tinyrobust.studies.s3_claim"
    return read(name, run(config, lambda cache: open_ladder(name, cache), command))


def read(name: str, folder: Path) -> Answers:
    """What the rungs of the run in ``folder``, one of network ``name``, answered."""
    _, table = read_run(folder)
    return Answers(name, groups(table))


def table(found: list[Answers]) -> list[str]:
    """Accuracy in % with its 95 % interval, by attack, budget and rung; one column a network."""
    lines = [
        "| attack | eps | rung | " + " | ".join(one.name for one in found) + " |",
        "|---" * (3 + len(found)) + "|",
    ]
    for attack, level in (("clean", 0), *((a, level) for a in ATTACKS for level in LEVELS)):
        rungs = dict.fromkeys(rung for one in found for cell in one.cells.values() for rung in cell)
        for rung in rungs:
            shares = " | ".join(_share(one.group(attack, level, rung)) for one in found)
            lines.append(f"| {attack} | {level}/255 | `{rung}` | {shares} |")
    return lines


def claim(found: list[Answers], rung: str) -> list[str]:
    """Paired differences in points on ``rung``, on the same images.

    Each network minus the reference, then minus the one before it.
    """
    reference, *ours = found
    pairs = [*((reference, one) for one in ours), *pairwise(ours)]
    lines = [
        "| attack | eps | "
        + " | ".join(f"{one.name} minus {base.name}" for base, one in pairs)
        + " |"
    ]
    lines.append("|---" * (2 + len(pairs)) + "|")
    for attack, level in (("clean", 0), *((a, level) for a in ATTACKS for level in LEVELS)):
        columns = " | ".join(
            _difference(base.group(attack, level, rung), one.group(attack, level, rung))
            for base, one in pairs
        )
        lines.append(f"| {attack} | {level}/255 | {columns} |")
    return lines


def _share(group: Group | None) -> str:
    return "-" if group is None else share(group.right)


def _difference(base: Group | None, other: Group | None) -> str:
    if base is None or other is None or not np.array_equal(base.sample, other.sample):
        return "-"
    lost, gained = int(np.sum(base.right & ~other.right)), int(np.sum(other.right & ~base.right))
    return difference(lost, gained, len(base.sample))


def page(found: list[Answers], samples: int, board: str, command: str) -> str:
    """The page of results with the command that makes it."""
    rung = "native" if board == "native" else "board"
    return "\n".join(
        [
            "# The claim of S3",
            "",
            f"Made by `{command}`, which can be interrupted and called again.",
            "",
            f"Ayaz et al. 2023 (arXiv:2304.12829) claim {CLAIM} points of white-box robustness for "
            "their deeply",
            "quantized, Jacobian-regularized network over MLPerf Tiny's ResNet8 on CIFAR-10. Ours "
            "are in the spirit of",
            "theirs, not theirs: a network of their family in stochastic ternary weights, without "
            "(`s3-ternary`) and",
            "with (`s3-ternary-jr`) its penalty on every layer's Jacobian, beside the published "
            "int8 ResNet8. FGSM and",
            f"PGD (20 steps) on the same {samples:,} test images, which no network was calibrated "
            "on. `float32` is",
            "attacked through itself, every other rung through the integer network's own gradients "
            "(its twin).",
            "",
            f"## Differences in points on `{rung}`",
            "",
            "Each of our networks minus the reference, then what the penalty adds; paired, with 95 "
            "% intervals.",
            "",
            *claim(found, rung),
            "",
            "## Accuracies",
            "",
            "In %, with 95 % Wilson intervals.",
            "",
            *table(found),
            "",
        ]
    )


def main() -> int:
    """Writes the page. Resumes where it was interrupted."""
    parser = bench_arguments("s3_claim", __doc__, "qemu_an500", "docs/s3-claim.md")
    parser.add_argument(
        "--samples", type=int, default=SAMPLES, help="the first so many test images"
    )
    args = parser.parse_args()
    command = f"python -m tinyrobust.studies.s3_claim --board {args.board} --samples {args.samples}"

    def made() -> str:
        found = [answers(name, args.board, args.samples, args.out) for name in (REFERENCE, *OURS)]
        return page(found, args.samples, args.board, command)

    return write_page(args.page, made)


if __name__ == "__main__":
    sys.exit(main())
