"""What Jacobian regularization buys and costs on committed weights: ``python -m
tinyrobust.studies.jacobian_effect``.

Each network without and with it, attacked white-box with PGD at rising budgets on its own lattice.
Three signs of gradient masking are looked for: what the attack itself warns of, accuracy left at a
budget of half the input range, and adversarial examples of the counterpart that fool a network
better than its own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyrobust.attacks.make import AttackRequest, make
from tinyrobust.core.cells import Cell
from tinyrobust.core.stats import wilson
from tinyrobust.core.types import BoolArray, Dataset, IntArray
from tinyrobust.models.rungs.predictors import KerasPredictor
from tinyrobust.models.training import weight_files
from tinyrobust.models.training.jacobian import exact_squared_norm
from tinyrobust.models.training.recipes import recipe
from tinyrobust.studies.pages import arguments, exit_code

SHOWN = {
    "digits-float": 16,
    "digits-8bit": 16,
    "digits-4bit": 16,
    "digits-ternary": 16,
    "resnet8-float": 2,
    "s3-ternary": 2,
    "resnet8-4bit": 2,
}
"""The networks, each with the budget in levels whose accuracy is shown: where a part of its samples
is left.
"""

LEVELS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 128)
HUGE = 128
SAMPLES = 500
"""The first so many test images; each of the Jacobian's rows is a backward pass."""
_BATCH = 100


@dataclass(frozen=True)
class Effect:
    """One network: clean correctness, the rows of PGD examples by budget, and the squared Jacobian
    norm.
    """

    name: str
    correct: BoolArray
    norm: float
    robust: dict[int, BoolArray]
    examples: IntArray
    warnings: tuple[str, ...]

    @property
    def distance(self) -> float:
        """Median over the correctly classified of the smallest budget in levels that PGD succeeded
        with.

        An upper bound of the Linf distance to the decision boundary; samples no budget fooled count
        as infinite.
        """
        smallest = np.full(len(self.correct), np.inf)
        for budget in reversed(LEVELS):
            smallest[~self.robust[budget]] = budget
        return float(np.median(smallest[self.correct]))


def measure(name: str, test: Dataset, shown: int) -> tuple[Effect, KerasPredictor]:
    """Attacks the committed network ``name`` on ``test``; keeps the examples of ``shown``
    levels.
    """
    chosen = recipe(name)
    model = chosen.build()
    weight_files.load(name, model)
    rung = KerasPredictor(model, "qat", chosen.task.spec)
    correct = right(rung, test.q, test)
    robust, warnings, kept = {}, [], test.q
    for budget in LEVELS:
        made = make(
            AttackRequest(Cell("pgd", "qat", budget / 255), rung, test.q, test.labels, rung.input)
        )
        robust[budget] = right(rung, made.q, test) & correct
        warnings += [f"{budget} levels: {flag.kind.value}: {flag.detail}" for flag in made.flags]
        kept = made.q if budget == shown else kept
    parts = (test.q[i : i + _BATCH] for i in range(0, len(test.q), _BATCH))
    norm = float(
        np.mean(
            np.concatenate([exact_squared_norm(model, rung.input.dequantize(q)) for q in parts])
        )
    )
    return Effect(name, correct, norm, robust, kept, tuple(warnings)), rung


def right(rung: KerasPredictor, q: IntArray, test: Dataset) -> BoolArray:
    """Which of ``q`` the rung puts into their class."""
    return np.asarray(rung.predict(q).logits.argmax(axis=1) == test.labels)


def _row(e: Effect, transferred: BoolArray, shown: int) -> str:
    n = len(e.correct)
    shares = []
    for hits in (e.correct, e.robust[shown], transferred):
        low, high = wilson(int(hits.sum()), n)
        shares.append(f"{hits.mean():.3f} [{low:.3f}, {high:.3f}]")
    clean, robust, transfer = shares
    left = e.robust[HUGE].mean()
    return (
        f"| {e.name} | {e.norm:.1f} | {clean} | {shown}/255 | {robust} | {transfer} | "
        f"{e.distance:g} | {left:.3f} |"
    )


def report(names: Sequence[str]) -> int:
    """Prints the table of the networks ``names`` in Markdown, then every warning."""
    print(
        "| network | mean squared J | clean | eps | PGD | transfer | median distance "
        f"| PGD {HUGE}/255 |"
    )
    print("|---|---|---|---|---|---|---|---|")
    warnings = []
    for name in names:
        shown, whole = SHOWN[name], recipe(name).task.splits().test
        test = replace(whole, q=whole.q[:SAMPLES], labels=whole.labels[:SAMPLES])
        plain, plain_rung = measure(name, test, shown)
        jr, jr_rung = measure(f"{name}-jr", test, shown)
        print(_row(plain, right(plain_rung, jr.examples, test), shown))
        print(_row(jr, right(jr_rung, plain.examples, test), shown), flush=True)
        warnings += [f"{e.name}, {note}" for e in (plain, jr) for note in e.warnings]
    print("\n".join(("", *warnings)))
    return 0


def main() -> int:
    """Measures the networks that are named, or all."""
    parser = arguments("jacobian_effect", __doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(SHOWN)}; all without one"
    )
    names = parser.parse_args().names or list(SHOWN)
    if unknown := [name for name in names if name not in SHOWN]:
        parser.error(f"no such network: {', '.join(unknown)}")
    return exit_code(lambda: report(names))


if __name__ == "__main__":
    sys.exit(main())
