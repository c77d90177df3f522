"""The ten attacks of Costa and Pinto 2024 (arXiv:2404.05688) at their presets.

They are made on ResNet8 in float32, int16 and int8.

``python -m tinyrobust.studies.s4_attacks`` attacks our float ResNet8 and what TFLiteConverter makes
of it, with int8 and int16 activations, on CIFAR-10 test images: through the float network, as the
paper transfers, and through each integer network itself. Every run resumes where it was
interrupted; sets made on the float network are made once.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from tinyrobust.core.errors import UsageError, nearest
from tinyrobust.core.progress import to_stderr
from tinyrobust.host.analysis.budgets import of_row
from tinyrobust.host.analysis.distances import Distances, distances, quartiles
from tinyrobust.host.analysis.metrics import SummaryRow, summarise
from tinyrobust.host.config.bench import Config
from tinyrobust.host.records.read import read_run
from tinyrobust.models.zoo.catalog import open_model
from tinyrobust.studies.pages import bench_arguments, write_page
from tinyrobust.studies.runs import largest, run

NETWORKS = {"int8": "resnet8-ptq", "int16": "resnet8-int16x8"}
"""Zoo entries: the same float network, quantized after training on samples that are not in the test
set.
"""

RUNGS = ("float32", "int16", "int8")
INTEGER = "tflm"
"""The rung that answers for an integer network; the run's verdict holds the others to it, byte for
byte.
"""

SAMPLES = {
    "pgd-s4": 32,
    "deepfool-s4": 128,
    "jsma-s4": 32,
    "cw-l2-s4": 128,
    "cw-linf-s4": 128,
    "ead-s4": 128,
    "autoattack-s4": 32,
    "square-linf-s4": 128,
    "square-l2-s4": 32,
    "zoo-s4": 16,
    "boundary-s4": 16,
    "geoda-s4": 16,
}
"""Test images for each preset: fewer where it takes thousands of queries or gradients for one; the
paper has 1,000.
"""


@dataclass(frozen=True)
class Line:
    """What one rung of the study's answered to one attack.

    ``row`` has the accuracy and, for an attack that minimises, ``far`` how far it went.
    """

    rung: str
    row: SummaryRow
    far: Distances | None
    git: str = ""
    """The version of the bench that made it."""


def measure(precision: str, attack: str, samples: int, board: str, out: Path) -> Path:
    """Runs, or finishes, or just finds, one network under ``attack``; the run's folder."""
    name = NETWORKS[precision]
    config = Config(
        model=f"zoo:{name}",
        board=board,
        attacks=("clean", attack),
        sources=("float32", "twin"),
        samples=samples,
        out=out,
    )
    command = "python -m tinyrobust.studies.s4_attacks"
    return run(config, lambda cache: open_model(name, cache, to_stderr), command)


def read(folder: Path, precision: str, attack: str) -> list[Line]:
    """What the rungs of the run in ``folder`` answered, clean and under ``attack``."""
    manifest, table = read_run(folder)
    far = {(d.rung, d.attack, d.source): d for d in distances(table, manifest)}
    names = {"float32": "float32", INTEGER: precision}
    return [
        Line(names[row.rung], row, far.get((row.rung, row.attack, row.source)), manifest.git)
        for row in summarise(table, manifest)
        if row.rung in names and row.attack in ("clean", attack)
    ]


def finished(out: Path, wanted: tuple[str, ...]) -> tuple[list[Line], list[str]]:
    """What the complete runs in ``out`` say of the ``wanted`` attacks.

    Beside it, what of them there is no run of.
    """
    found: list[Line] = []
    missing = []
    for attack in wanted:
        for precision, model in NETWORKS.items():
            complete = largest(out, model, attack)
            if complete is None:
                missing.append(f"{attack} on {precision}")
            else:
                found += read(complete, precision, attack)
    return found, missing


def tables(found: list[Line]) -> list[str]:
    """Markdown: accuracy in % under each attack, and the median of the smallest perturbations."""
    lines = [_head("attack", "made on", "eps", "n"), "|---" * 7 + "|"]
    cells: dict[tuple[str, str, float, int], dict[str, Line]] = {}
    for line in found:
        row = line.row
        cells.setdefault((row.attack, row.source, row.eps, row.n), {}).setdefault(line.rung, line)
    for rungs in cells.values():
        row = next(iter(rungs.values())).row
        shares = " | ".join(_accuracy(rungs.get(rung)) for rung in RUNGS)
        lines.append(f"| {row.attack} | {row.source} | {of_row(row)} | {row.n} | {shares} |")
    lines += ["", _head("attack", "made on", "norm", "n"), "|---" * 7 + "|"]
    for rungs in cells.values():
        far = {rung: line.far for rung, line in rungs.items() if line.far is not None}
        if far:
            row, one = next(iter(rungs.values())).row, next(iter(far.values()))
            medians = " | ".join(_median(far.get(rung)) for rung in RUNGS)
            lines.append(
                f"| {row.attack} | {row.source} | {one.shown.upper()} | {row.n} | {medians} |"
            )
    return lines


def _head(*names: str) -> str:
    return f"| {' | '.join((*names, *(f'`{rung}`' for rung in RUNGS)))} |"


def _accuracy(line: Line | None) -> str:
    if line is None or line.row.accuracy is None or line.row.low is None or line.row.high is None:
        return "-"
    return f"{100 * line.row.accuracy:.1f} [{100 * line.row.low:.1f}, {100 * line.row.high:.1f}]"


def _median(far: Distances | None) -> str:
    if far is None:
        return "-"
    median = quartiles(far.own).median
    shown = "not reached" if median is None else f"{median:.3g}"
    return f"{shown} ({100 * far.reached / far.n:.0f} % reached)"


def page(found: list[Line], board: str, command: str, missing: list[str]) -> str:
    """The page of results with the command that makes it."""
    return "\n".join(
        [
            "# Ten attacks on ResNet8 in three precisions",
            "",
            f"Made by `{command}`, which can be interrupted and called again;",
            "the runs' folders hold all records, and `--read` writes this page from those that are "
            "complete.",
            "ResNet8 of the model cards on the first CIFAR-10 test images; `int8` and `int16` "
            "(activations; weights in",
            "int8) were quantized after training, calibrated on training images. Integer networks "
            "answer as",
            f"tflite-micro does, and the firmware on {board} is held to that byte for byte.",
            "",
            "*Made on* `float32`: all three columns answer the same examples. *Made on* `twin`: "
            "each integer network",
            "answers those that were made on itself, and `float32` those of the int8 network, "
            "which it has no part in.",
            "",
            "Accuracy in % with its 95 % interval, then the median distance to the boundary over "
            "the samples that the",
            "rung answers right when clean: L2 and L1 in multiples of the input range, Linf in "
            "int8 levels, L0",
            "in elements. Budgets are rounded down to whole int8 levels; the paper rounds "
            "elements. What else",
            "differs from the paper: "
            "[Attacks](attacks.md#presets-and-the-studies-they-are-named-after). An L2",
            "distance of 0.217 is one level in each of the 3,072 elements: around it the input "
            "grid decides.",
            "",
            f"Versions: {', '.join(sorted({f'`{line.git}`' for line in found}))}.",
            *(["", f"Not run: {', '.join(missing)}."] if missing else []),
            "",
            *tables(found),
            "",
        ]
    )


def command(args: argparse.Namespace) -> str:
    """The command that makes the runs of ``args``, without the folders of a machine."""
    asked = f" --attacks {args.attacks}" if args.attacks else ""
    samples = f" --samples {args.samples}" if args.samples else ""
    return f"python -m tinyrobust.studies.s4_attacks --board {args.board}{samples}{asked}"


def made(args: argparse.Namespace, wanted: tuple[str, ...]) -> list[Line]:
    """Every one of the ``wanted`` attacks on every network."""
    return [
        line
        for attack in wanted
        for precision in NETWORKS
        for line in read(
            measure(precision, attack, args.samples or SAMPLES[attack], args.board, args.out),
            precision,
            attack,
        )
    ]


def results(args: argparse.Namespace) -> str:
    """The page, from new runs or from those that are complete.

    Raises UsageError on an attack it does not have.
    """
    wanted = tuple(args.attacks.split(",")) if args.attacks else tuple(SAMPLES)
    for name in wanted:
        if name not in SAMPLES:
            raise UsageError(f"{name!r} is no attack of the study: {nearest(name, SAMPLES)}")
    found, missing = finished(args.out, wanted) if args.read else (made(args, wanted), [])
    return page(found, args.board, command(args), missing)


def main() -> int:
    """Writes the page. Resumes where it was interrupted."""
    parser = bench_arguments("s4_attacks", __doc__, "native", "docs/s4-attacks.md")
    parser.add_argument(
        "--samples", type=int, help="test images for every attack (default: 16 to 128, by its cost)"
    )
    parser.add_argument("--attacks", help="only these of them, with commas between")
    parser.add_argument(
        "--read", action="store_true", help="run nothing: the page of the complete runs in --out"
    )
    args = parser.parse_args()
    return write_page(args.page, lambda: results(args))


if __name__ == "__main__":
    sys.exit(main())
