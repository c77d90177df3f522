"""Are the twin's gradients of use?

The same attacks made on the integer network itself and carried over from its float one.

``python -m tinyrobust.studies.twin_gradients`` takes the runs of ``tinyrobust.studies.s3``, made
where they are missing, and counts what tflite-micro still answers right under the attacks that were
made on the float network, and under those made on the integer network's twin, which needs no float
model.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from tinyrobust.core.stats import mcnemar
from tinyrobust.core.types import BoolArray
from tinyrobust.studies.pages import (
    bench_arguments,
    difference,
    lost_and_gained,
    share,
    write_page,
)
from tinyrobust.studies.s3.answers import (
    FLOAT,
    LEVELS,
    TWIN,
    Answers,
    answers,
)
from tinyrobust.studies.s3.networks import NETWORKS

RUNG = "tflm"
SAMPLES = 1_000
SURE = 0.05


@dataclass(frozen=True)
class Contest:
    """Both ways at one budget on one network: what ``RUNG`` still answers right, bool [n] each."""

    name: str
    level: int
    transfer: BoolArray
    twin: BoolArray

    @property
    def discordant(self) -> tuple[int, int]:
        """Samples right under transfer alone, and right under the twin's own attacks alone."""
        return lost_and_gained(self.transfer, self.twin)

    @property
    def line(self) -> str:
        """A line of Markdown: both accuracies, their difference, 95 % intervals, and p."""
        lost, gained = self.discordant
        n = len(self.transfer)
        cells = (
            self.name,
            f"{self.level}/255",
            str(n),
            share(self.transfer),
            share(self.twin),
            difference(lost, gained, n),
            _p(mcnemar(lost, gained)),
        )
        return f"| {' | '.join(cells)} |"


def contests(found: list[Answers]) -> list[Contest]:
    """One for every network and budget.

    Raises KeyError on a run without both sources or without ``RUNG``.
    """
    return [
        Contest(
            one.name,
            level,
            transfer=one.standing(RUNG, level, (FLOAT,)),
            twin=one.standing(RUNG, level, (TWIN,)),
        )
        for one in found
        for level in LEVELS
    ]


def verdict(found: list[Contest]) -> str:
    """One sentence: where the twin's own attacks win or lose, and where chance could decide."""
    sure = [one for one in found if mcnemar(*one.discordant) < SURE]
    lost = [one for one in sure if one.discordant[0] < one.discordant[1]]
    weaker = f" ({', '.join(f'{one.name} at {one.level}/255' for one in lost)})" if lost else ""
    return (
        f"Made on the twin they are the stronger in {len(sure) - len(lost)} of {len(found)} "
        f"comparisons (p < {SURE}), the weaker in {len(lost)}{weaker}, and "
        f"{len(found) - len(sure)} are undecided."
    )


def page(found: list[Contest], command: str) -> str:
    """The page of results with the command that makes it."""
    lines = "\n".join(one.line for one in found)
    return f"""# Are the twin's gradients of use?

Made by `{command}`, which can be interrupted and called again.

Auto-PGD on cross-entropy and towards nine targets, on CIFAR-10 test images that no network was
calibrated on, made twice at each budget: on the float network and carried over (*transfer*), and on
the integer network's own twin, which needs no float network (*twin*). The share in % that neither
of the two attacks turned on tflite-micro, whose bytes are the chip's, with 95 % Wilson intervals;
the difference in points on the same images, with its paired interval and McNemar's exact p.
Negative: the twin's own gradients find more.

{verdict(found)}

| network | eps | n | transfer | twin | twin minus transfer | p |
|---|---|---|---|---|---|---|
{lines}
"""


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def main() -> int:
    """Writes the page. Resumes where it was interrupted."""
    parser = bench_arguments("twin_gradients", __doc__, "native", "docs/twin-gradients.md")
    parser.add_argument(
        "--samples", type=int, default=SAMPLES, help="the first so many test images"
    )
    parser.add_argument(
        "--networks", default=",".join(NETWORKS), help="which of the study's, with commas between"
    )
    args = parser.parse_args()
    command = (
        f"python -m tinyrobust.studies.twin_gradients --networks {args.networks} "
        f"--samples {args.samples} --board {args.board}"
    )

    def made() -> str:
        names = args.networks.split(",")
        found = [answers(name, args.board, args.samples, args.out) for name in names]
        return page(contests(found), command)

    return write_page(args.page, made)


if __name__ == "__main__":
    sys.exit(main())
