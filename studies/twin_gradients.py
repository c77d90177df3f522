"""Are the twin's gradients of use?

PGD made on the integer network itself against PGD carried over from its float one.

``python -m tinyrobust.studies.twin_gradients`` attacks MLPerf Tiny's ResNet8 and committed CIFAR-10
networks with the same PGD at the same budgets on the same test images, once on the float network
and once on the integer network's twin, and counts what tflite-micro still answers right. White-box
has to win at every eps: the twin is attacked without any float model. Finished runs of
``tinyrobust.studies.s3_claim`` in the same folder are read, not made again.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import numpy as np

from tinyrobust.core.cells import Cell
from tinyrobust.core.stats import mcnemar
from tinyrobust.host.analysis.groups import Group
from tinyrobust.studies.pages import bench_arguments, difference, share, write_page
from tinyrobust.studies.runs import largest
from tinyrobust.studies.s3_claim import LEVELS, REFERENCE, Answers, answers, read

NETWORKS = (REFERENCE, "resnet8-8bit", "resnet8-4bit", "s3-ternary")
ATTACK = "pgd"
SOURCES = ("float32", "twin")
RUNG = "tflm"
SAMPLES = 200
SURE = 0.05


@dataclass(frozen=True)
class Contest:
    """Both attacks at one budget on one network.

    Each is what ``RUNG`` still answers right, bool [n], on the same samples.
    """

    name: str
    level: int
    transfer: Group
    twin: Group

    @property
    def counts(self) -> tuple[int, int, int]:
        """n; right under transfer alone; right under the twin's own attack alone."""
        first, second = self.transfer.right, self.twin.right
        return len(first), int(np.sum(first & ~second)), int(np.sum(second & ~first))

    @property
    def line(self) -> str:
        """One network and budget as a line of Markdown.

        It has n, both accuracies and their paired difference in points, each with its 95 %
        interval, and p.
        """
        n, lost, gained = self.counts
        cells = (
            self.name,
            f"{self.level}/255",
            str(n),
            share(self.transfer.right),
            share(self.twin.right),
            difference(lost, gained, n),
            _p(mcnemar(lost, gained)),
        )
        return f"| {' | '.join(cells)} |"


def contests(found: list[Answers]) -> list[Contest]:
    """The contests of all networks and budgets.

    Raises KeyError on a run without both sources or without ``RUNG``.
    """
    return [
        Contest(
            one.name,
            level,
            *(one.cells[Cell(ATTACK, source, level / 255)][RUNG] for source in SOURCES),
        )
        for one in found
        for level in LEVELS
    ]


def verdict(found: list[Contest]) -> str:
    """One sentence of where the twin's own attack wins and where it loses.

    It also says where chance could have decided.
    """
    sure = [one for one in found if mcnemar(*one.counts[1:]) < SURE]
    losses = [f"{one.name} at {one.level}/255" for one in sure if one.counts[1] < one.counts[2]]
    weaker = f" ({', '.join(losses)})" if losses else ""
    return (
        f"PGD on the twin is the stronger in {len(sure) - len(losses)} of {len(found)} comparisons "
        f"(p < {SURE}), "
        f"the weaker in {len(losses)}{weaker}, and {len(found) - len(sure)} are undecided."
    )


def page(found: list[Contest], command: str) -> str:
    """The page of results with the command that makes it."""
    return "\n".join(
        [
            "# Are the twin's gradients of use?",
            "",
            f"Made by `{command}`, which can be interrupted and called again.",
            "",
            "PGD, 20 steps, on CIFAR-10 test images that no network was calibrated on, made twice "
            "at each budget: on",
            "the float network and carried over (*transfer*), and on the integer network's own "
            "twin, which needs no",
            "float network (*twin*). Accuracy in % of tflite-micro, whose bytes are the chip's, "
            "with 95 % Wilson",
            "intervals; the difference in points on the same images, with its paired interval and "
            "McNemar's exact p.",
            "Negative: the twin's own gradients find more.",
            "",
            verdict(found),
            "",
            "| network | eps | n | transfer | twin | twin minus transfer | p |",
            "|---|---|---|---|---|---|---|",
            *(one.line for one in found),
            "",
        ]
    )


def _answers(name: str, args: argparse.Namespace) -> Answers:
    run = largest(args.out, name, ATTACK)
    if run is not None:
        one = read(name, run)
        if all(RUNG in one.cells.get(cell, {}) for cell in _cells()):
            return one
    return answers(name, args.board, args.samples, args.out, (ATTACK,))


def _cells() -> list[Cell]:
    return [Cell(ATTACK, source, level / 255) for level in LEVELS for source in SOURCES]


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def main() -> int:
    """Writes the page. Resumes where it was interrupted."""
    parser = bench_arguments("twin_gradients", __doc__, "native", "docs/twin-gradients.md")
    parser.add_argument(
        "--samples", type=int, default=SAMPLES, help="the first so many test images"
    )
    parser.add_argument(
        "--networks", default=",".join(NETWORKS), help="which of the zoo, with commas between"
    )
    args = parser.parse_args()
    command = (
        f"python -m tinyrobust.studies.twin_gradients --networks {args.networks} "
        f"--samples {args.samples} --board {args.board}"
    )

    def made() -> str:
        return page(contests([_answers(name, args) for name in args.networks.split(",")]), command)

    return write_page(args.page, made)


if __name__ == "__main__":
    sys.exit(main())
