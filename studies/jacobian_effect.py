"""What Jacobian regularization buys and costs on committed weights.

``python -m tinyrobust.studies.jacobian_effect`` measures it.

Each network without and with it, attacked white-box at rising budgets on its own input grid, by
Auto-PGD on cross-entropy and then, where that failed, towards nine targets (the first two of
AutoAttack, Croce and Hein 2020, arXiv:2003.01690). Three signs of gradient masking are looked for:
what the attacks themselves warn of, accuracy left at a budget of half the input range, and
adversarial examples of the counterpart that fool a network better than its own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyrobust.attacks.make import AttackRequest, make
from tinyrobust.core.cells import Cell, Flag
from tinyrobust.core.stats import wilson
from tinyrobust.core.types import BoolArray, Dataset, IntArray
from tinyrobust.models.rungs.predictors import KerasPredictor
from tinyrobust.models.training import weight_files
from tinyrobust.models.training.jacobian import exact_squared_norm
from tinyrobust.models.training.recipes import recipe
from tinyrobust.studies.pages import arguments, exit_code

ATTACKS = ("apgd-ce", "apgd-t")
HUGE = 128


@dataclass(frozen=True)
class Budgets:
    """Budgets in levels of 255: those that are ``tried``, rising, and the one that is ``shown``.

    It is shown where a part of the samples is left.
    """

    tried: tuple[int, ...]
    shown: int


_DIGITS = Budgets((4, 8, 16, 24, 32, 48, 64, HUGE), 16)
_CIFAR10 = Budgets((1, 2, 4, 8, HUGE), 2)
NETWORKS = {
    "digits-float": _DIGITS,
    "digits-8bit": _DIGITS,
    "digits-4bit": _DIGITS,
    "digits-ternary": _DIGITS,
    "resnet8-float": _CIFAR10,
    "s3-ternary": _CIFAR10,
    "resnet8-4bit": _CIFAR10,
}
SAMPLES = 500
"""The first so many test images; each of the Jacobian's rows is a backward pass."""
_BATCH = 100


@dataclass(frozen=True)
class Effect:
    """One network: what is right when clean and by budget, and its squared Jacobian norm."""

    name: str
    correct: BoolArray
    norm: float
    robust: dict[int, BoolArray]
    examples: IntArray
    warnings: tuple[str, ...]

    @property
    def distance(self) -> float:
        """The median, over what is right, of the smallest budget that an attack succeeded with.

        An upper bound of the Linf distance to the decision boundary; samples no budget fooled count
        as infinite.
        """
        smallest = np.full(len(self.correct), np.inf)
        for budget in sorted(self.robust, reverse=True):
            smallest[~self.robust[budget]] = budget
        return float(np.median(smallest[self.correct]))


def measure(name: str, test: Dataset, budgets: Budgets) -> tuple[Effect, KerasPredictor]:
    """Attacks the committed network ``name`` on ``test``; keeps the shown budget's examples."""
    chosen = recipe(name)
    model = chosen.build()
    weight_files.load(name, model)
    rung = KerasPredictor(model, "qat", chosen.task.spec)
    correct = right(rung, test.q, test)
    robust, warnings, kept = {}, [], test.q
    for budget in budgets.tried:
        q, flags = attacked(rung, test, budget)
        robust[budget] = right(rung, q, test) & correct
        warnings += [f"{budget} levels: {flag.kind.value}: {flag.detail}" for flag in flags]
        kept = q if budget == budgets.shown else kept
    parts = (test.q[i : i + _BATCH] for i in range(0, len(test.q), _BATCH))
    norm = float(
        np.mean(
            np.concatenate([exact_squared_norm(model, rung.input.dequantize(q)) for q in parts])
        )
    )
    return Effect(name, correct, norm, robust, kept, tuple(warnings)), rung


def attacked(rung: KerasPredictor, test: Dataset, budget: int) -> tuple[IntArray, tuple[Flag, ...]]:
    """``test.q`` after every attack, int8 [n, ...], and what the attacks warn of.

    Each attack is made on what those before it left right.
    """
    q = test.q.copy()
    flags: tuple[Flag, ...] = ()
    for attack in ATTACKS:
        left = np.flatnonzero(right(rung, q, test))
        if not len(left):
            break
        cell = Cell(attack, rung.rung, budget / 255)
        made = make(AttackRequest(cell, rung, test.q[left], test.labels[left], rung.input))
        q[left] = made.q
        flags += made.flags
    return q, flags


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
        "| network | mean squared J | clean | eps | robust | transfer | median distance "
        f"| {HUGE}/255 |"
    )
    print("|---|---|---|---|---|---|---|---|")
    warnings = []
    for name in names:
        budgets, whole = NETWORKS[name], recipe(name).task.splits().test
        test = replace(whole, q=whole.q[:SAMPLES], labels=whole.labels[:SAMPLES])
        plain, plain_rung = measure(name, test, budgets)
        jr, jr_rung = measure(f"{name}-jr", test, budgets)
        print(_row(plain, right(plain_rung, jr.examples, test), budgets.shown))
        print(_row(jr, right(jr_rung, plain.examples, test), budgets.shown), flush=True)
        warnings += [f"{e.name}, {note}" for e in (plain, jr) for note in e.warnings]
    print("\n".join(("", *warnings)))
    return 0


def main() -> int:
    """Measures the networks that are named, or all."""
    parser = arguments("jacobian_effect", __doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(NETWORKS)}; all without one"
    )
    names = parser.parse_args().names or list(NETWORKS)
    if unknown := [name for name in names if name not in NETWORKS]:
        parser.error(f"no such network: {', '.join(unknown)}")
    return exit_code(lambda: report(names))


if __name__ == "__main__":
    sys.exit(main())
