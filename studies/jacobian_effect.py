"""What Jacobian regularization buys and costs on committed weights: ``python -m studies.jacobian_effect``.

Each network without and with it, attacked white-box with PGD at rising budgets on its own lattice. Three signs of
gradient masking are looked for: what the attack itself warns of, accuracy left at a budget of half the input range,
and adversarial examples of the counterpart that fool a network better than its own.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

import attacks.base as attack
from host.stats import wilson
from host.types import BenchError, BoolArray, Cell, Dataset, Int8Array
from models import weight_files
from models.jacobian import exact_squared_norm
from models.recipes import recipe
from models.reference import KerasPredictor

NAMES = ("digits-float", "digits-8bit", "digits-4bit", "digits-ternary")
LEVELS = (4, 8, 16, 24, 32, 48, 64, 128)
SHOWN, HUGE = 16, 128


@dataclass(frozen=True)
class Effect:
    """One network: clean correctness, the rows of PGD examples by budget, and the squared Jacobian norm."""

    name: str
    correct: BoolArray
    norm: float
    robust: dict[int, BoolArray]
    examples: Int8Array
    warnings: tuple[str, ...]

    @property
    def distance(self) -> float:
        """Median over the correctly classified of the smallest budget in levels that PGD succeeded with.

        An upper bound of the Linf distance to the decision boundary; samples no budget fooled count as infinite.
        """
        smallest = np.full(len(self.correct), np.inf)
        for budget in reversed(LEVELS):
            smallest[~self.robust[budget]] = budget
        return float(np.median(smallest[self.correct]))


def measure(name: str, test: Dataset) -> tuple[Effect, KerasPredictor]:
    """Attacks the committed network ``name`` on ``test``."""
    chosen = recipe(name)
    model = chosen.build()
    weight_files.load(name, model)
    rung = KerasPredictor(model, "qat", chosen.task.spec)
    correct = right(rung, test.q, test)
    robust, warnings, shown = {}, [], test.q
    for budget in LEVELS:
        made = attack.make(Cell("pgd", "qat", budget / 255), rung, test.q, test.labels, rung.input)
        robust[budget] = right(rung, made.q, test) & correct
        warnings += [f"{budget} levels: {note}" for note in made.notes]
        shown = made.q if budget == SHOWN else shown
    norm = float(np.mean(exact_squared_norm(model, rung.input.dequantize(test.q))))
    return Effect(name, correct, norm, robust, shown, tuple(warnings)), rung


def right(rung: KerasPredictor, q: Int8Array, test: Dataset) -> BoolArray:
    """Which of ``q`` the rung puts into their class."""
    return np.asarray(rung.predict(q).logits.argmax(axis=1) == test.labels)


def _row(e: Effect, transferred: BoolArray) -> str:
    n = len(e.correct)
    shares = []
    for hits in (e.correct, e.robust[SHOWN], transferred):
        low, high = wilson(int(hits.sum()), n)
        shares.append(f"{hits.mean():.3f} [{low:.3f}, {high:.3f}]")
    left = e.robust[HUGE].mean()
    return f"| {e.name} | {e.norm:.1f} | {' | '.join(shares)} | {e.distance:g} | {left:.3f} |"


def main() -> int:
    """Prints the table in Markdown, then every warning."""
    try:
        print(f"| network | mean squared J | clean | PGD {SHOWN}/255 | transfer | median distance | PGD {HUGE}/255 |")
        print("|---|---|---|---|---|---|---|")
        warnings = []
        for name in NAMES:
            test = recipe(name).task.splits().test
            (plain, plain_rung), (jr, jr_rung) = measure(name, test), measure(f"{name}-jr", test)
            print(_row(plain, right(plain_rung, jr.examples, test)))
            print(_row(jr, right(jr_rung, plain.examples, test)), flush=True)
            warnings += [f"{e.name}, {note}" for e in (plain, jr) for note in e.warnings]
        print("\n".join(("", *warnings)))
    except BenchError as err:
        print(f"error: {err}", file=sys.stderr)
        return err.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
