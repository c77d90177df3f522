"""How robust are the adversarially trained networks of the zoo, as they are deployed?

``python -m tinyrobust.studies.robust_zoo [NAME ...]`` attacks the integer network of each zoo entry
on its own gradients, counts the test samples that the firmware on this host answers right under
every one of the attacks, and keeps the figure in ``models/weights/robust.json``, from which the
cards have it. Each network is a run of the bench, which can be interrupted and called again.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tinyrobust.core.errors import UsageError
from tinyrobust.core.progress import to_stderr
from tinyrobust.host.analysis.flags import flags
from tinyrobust.host.analysis.worst_case import worst_cases
from tinyrobust.host.config.bench import Config
from tinyrobust.host.records.read import read_run
from tinyrobust.models.rungs.ladder import Ladder
from tinyrobust.models.zoo import robust
from tinyrobust.models.zoo.catalog import ENTRIES, find, open_model
from tinyrobust.studies.pages import arguments, exit_code
from tinyrobust.studies.runs import run

BOARD = "native"
ATTACKS = ("apgd-ce", "apgd-t")
"""The two of AutoAttack's four that decide nearly every sample of such a network."""
SAMPLES = 1_000
STEPS = 255
_TRAINED_AT = re.compile(r"-at(\d+)(-jr)?$")


def trained_levels(name: str) -> int:
    """The budget, in input levels, that zoo entry ``name`` was trained at.

    Raises UsageError where it was not trained on adversarial examples.
    """
    found = _TRAINED_AT.search(name)
    if found is None:
        raise UsageError(f"{name}: not trained on adversarial examples; name a budget by --levels")
    return int(found[1])


def measured(folder: Path, levels: int) -> robust.RobustAccuracy:
    """What the complete run in ``folder`` says at ``levels``.

    Raises UsageError where its attacks had another budget.
    """
    manifest, table = read_run(folder)
    cases = worst_cases(table, manifest)
    case = next((c for c in cases if c.norm == "linf" and round(c.eps * STEPS) == levels), None)
    if case is None:
        raise UsageError(f"{folder}: no attack at {levels}/{STEPS}")
    return robust.RobustAccuracy(
        levels=levels,
        attacks=tuple(name for name in manifest.attacks if name != "clean"),
        samples=case.flashed.n,
        clean=case.clean.standing,
        standing=case.flashed.standing,
        flags=tuple(f"{f.cell.attack}: {f.kind.value}" for f in flags(table, manifest)),
        sha256=manifest.tflite_sha256,
    )


def measure(
    names: Sequence[str], attacks: tuple[str, ...], levels: int | None, samples: int, out: Path
) -> int:
    """Measures and keeps each zoo entry as it is done. Raises UsageError before any work."""
    if levels is not None and not 1 <= levels <= STEPS:
        raise UsageError(f"--levels {levels}: give 1 to {STEPS}")
    named = names or [n for n in sorted(ENTRIES) if _TRAINED_AT.search(n)]
    for name in named:
        find(name)
    budgets = {name: levels or trained_levels(name) for name in named}
    for name, budget in budgets.items():
        config = Config(
            model=f"zoo:{name}",
            board=BOARD,
            attacks=attacks,
            eps=(budget / STEPS,),
            sources=("twin",),
            samples=samples,
            out=out,
        )
        command = f"python -m tinyrobust.studies.robust_zoo {name} --levels {budget}"
        folder = run(config, partial(_opened, name), command)
        row = measured(folder, budget)
        robust.write(robust.with_row(robust.read(), name, row))
        to_stderr(f"{name}: {row.undisturbed} undisturbed, {row} at {budget}/{STEPS}")
    return os.EX_OK


def _opened(name: str, cache: Path) -> Ladder:
    return open_model(name, cache, to_stderr)


def main() -> int:
    """Measures the entries that are named, or all that were trained on adversarial examples."""
    parser = arguments("robust_zoo", __doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="zoo entries (default: all)")
    parser.add_argument(
        "--attacks", default=",".join(ATTACKS), help=f"default {','.join(ATTACKS)}; or standard"
    )
    parser.add_argument(
        "--levels", type=int, help="Linf budget in input levels (default: that of the training)"
    )
    parser.add_argument(
        "--samples", type=int, default=SAMPLES, help=f"of each test set (default {SAMPLES})"
    )
    parser.add_argument("--out", type=Path, default=Path("runs"), help="folder of the runs")
    args = parser.parse_args()
    attacks = tuple(args.attacks.split(","))
    return exit_code(lambda: measure(args.names, attacks, args.levels, args.samples, args.out))


if __name__ == "__main__":
    sys.exit(main())
