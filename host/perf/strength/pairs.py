"""Which of our attacks stands beside which reference, what is equal, and who found more."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tinyrobust.attacks.base.input_grid import size, steps
from tinyrobust.attacks.base.problem import Attack, Norm, Problem
from tinyrobust.attacks.black_box.boundary import SIDEWAYS, population
from tinyrobust.attacks.black_box.hopskipjump import hopskipjump
from tinyrobust.attacks.black_box.square import square_linf
from tinyrobust.attacks.gradients.graphs import real
from tinyrobust.attacks.gradients.losses import cross_entropy
from tinyrobust.attacks.white_box.apgd import apgd
from tinyrobust.attacks.white_box.carlini_wagner import cw_l2
from tinyrobust.attacks.white_box.ddn import ddn
from tinyrobust.attacks.white_box.ead import BETA, ead, least_sum
from tinyrobust.attacks.white_box.sign_steps import bim, fgsm, mi_fgsm, pgd
from tinyrobust.core.types import FloatArray
from tinyrobust.host.perf.strength.references import References, has_art
from tinyrobust.models.data.digits import SPEC, digits
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.predictors import KerasPredictor
from tinyrobust.models.training import weight_files
from tinyrobust.models.training.recipes import recipe

NETWORK = "digits-float"
"""Its weights are committed, its images come with scikit-learn."""
SAMPLES = 64
LEVELS = 24
"""The Linf budget: most attacks turn some of the samples, none turns all."""
NEAR = 0.02
"""Relative difference of two distances that counts as none."""
ERRORS = 2.0
"""Standard errors of a paired difference that count as noise."""


@dataclass(frozen=True)
class Pair:
    """One attack, ours and a reference, with equal steps.

    ``bounded``: it is given the budget of ``LEVELS``; else it minimises ``norm``.
    """

    attack: str
    equal: str
    library: str
    norm: Norm
    bounded: bool
    ours: Attack
    theirs: Callable[[References], FloatArray]


@dataclass(frozen=True)
class Outcome:
    """What an attack found.

    ``far`` float64 [n] is in multiples of the input range, infinite where it did not fool; of a
    bounded attack 0 where it did. ``seconds`` it took.
    """

    far: NDArray[np.float64]
    seconds: float

    @property
    def fooled(self) -> float:
        """Share of the samples."""
        return float(np.isfinite(self.far).mean())

    @property
    def median(self) -> float:
        """Of the distances, those that were not reached included."""
        return float(np.median(self.far))


def pairs() -> Iterator[Pair]:
    """Every pair whose reference is installed."""
    one = partial(Pair, library="Foolbox", norm=Norm.LINF, bounded=True)
    yield one(
        "FGSM", "1 gradient", ours=fgsm, theirs=lambda ref: ref.foolbox("LinfFastGradientAttack")
    )
    yield one("BIM", "10 gradients", ours=bim, theirs=partial(_steps, "BasicIterative", 10, 0.2))
    yield one(
        "PGD",
        "20 gradients",
        ours=pgd,
        theirs=partial(_steps, "ProjectedGradientDescent", 20, 2.5 / 20),
    )
    yield one(
        "MI-FGSM",
        "10 gradients",
        ours=mi_fgsm,
        theirs=lambda ref: ref.foolbox(
            "LinfMomentumIterativeFastGradientMethod", steps=10, rel_stepsize=0.1
        ),
    )
    least = partial(Pair, library="Foolbox", norm=Norm.L2, bounded=False)
    yield least("DDN", "100 gradients", ours=ddn, theirs=lambda ref: ref.foolbox("DDNAttack"))
    yield least(
        "Carlini-Wagner L2",
        "5 times 100 gradients",
        ours=partial(cw_l2, searches=5, steps=100, const=1e-2),
        theirs=lambda ref: ref.foolbox(
            "L2CarliniWagnerAttack",
            binary_search_steps=5,
            steps=100,
            initial_const=1e-2,
            abort_early=False,
        ),
    )
    yield least(
        "EAD, L1 rule",
        "5 times 100 gradients",
        norm=Norm.L1,
        ours=partial(ead, rule=least_sum, searches=5, steps=100, const=1e-2),
        theirs=lambda ref: ref.foolbox(
            "EADAttack",
            binary_search_steps=5,
            steps=100,
            initial_const=1e-2,
            regularization=BETA,
            decision_rule="L1",
            abort_early=False,
        ),
    )
    yield least(
        "HopSkipJump",
        "10 iterations of 100 probes and more",
        ours=partial(hopskipjump, iterations=10),
        theirs=lambda ref: ref.foolbox("HopSkipJumpAttack", steps=10),
    )
    yield least(
        "Boundary",
        "2,100 questions",
        ours=partial(population, steps=100, sideways=SIDEWAYS, inwards=1.0),
        theirs=lambda ref: ref.foolbox("BoundaryAttack", steps=2100),
    )
    if has_art():
        yield from _beside_art(partial(Pair, library="ART", norm=Norm.LINF, bounded=True))


def _steps(kind: str, count: int, relative: float, ref: References) -> FloatArray:
    return ref.foolbox(f"Linf{kind}Attack", steps=count, rel_stepsize=relative)


def _beside_art(one: Callable[..., Pair]) -> Iterator[Pair]:
    yield one(
        "Auto-PGD, cross-entropy",
        "100 gradients",
        ours=partial(apgd, loss=cross_entropy),
        theirs=lambda ref: ref.art(
            "AutoProjectedGradientDescent",
            eps_step=2 * ref.problem.eps / ref.problem.span,
            max_iter=100,
            nb_random_init=1,
            loss_type="cross_entropy",
        ),
    )
    yield one(
        "Square Linf",
        "500 questions",
        ours=partial(square_linf, iterations=500, p=0.8),
        theirs=lambda ref: ref.art("SquareAttack", max_iter=500, p_init=0.8),
    )


def problem() -> Problem:
    """The first ``SAMPLES`` test images, labels being the network's own answers."""
    model = recipe(NETWORK).build()
    weight_files.load(NETWORK, model)
    source = KerasPredictor(model, "float32", SPEC)
    q = digits().test.q[:SAMPLES]
    labels = np.asarray(source.predict(q).logits.argmax(axis=1), np.int64)
    return Problem(q, labels, SPEC, Norm.LINF, 0.0, LEVELS, 0, source)


def posed(given: Problem, pair: Pair) -> Problem:
    """``given`` in the norm and with the budget of ``pair``."""
    eps = LEVELS / given.spec.steps * given.span if pair.bounded else math.inf
    return replace(
        given, norm=pair.norm, eps=eps, levels=LEVELS if pair.bounded else given.spec.steps
    )


def compared(given: Problem, pair: Pair) -> tuple[Outcome, Outcome]:
    """What ours and the reference find of ``given``.

    Ours is called twice, and the second call counts: the first one traces.
    """
    mine = posed(given, pair)
    ref = References(mine, mine.queried().predict(mine.q[:1]).logits.shape[1])
    pair.ours(mine)
    ours = _outcome(mine, partial(pair.ours, mine))
    return ours, _outcome(mine, lambda: real(mine, pair.theirs(ref)))


def clearly_weaker(pair: Pair, ours: Outcome, theirs: Outcome) -> bool:
    """Whether ours found less, by more than ``ERRORS`` standard errors of the samples that differ.

    A distance is less where it is longer by more than ``NEAR``.
    """
    slack = 1.0 if pair.bounded else 1 + NEAR
    lost = int(np.sum(ours.far > theirs.far * slack))
    won = int(np.sum(theirs.far > ours.far * slack))
    return bool(lost - won > ERRORS * math.sqrt(lost + won))


def _outcome(mine: Problem, run: Callable[[], FloatArray]) -> Outcome:
    started = time.perf_counter()
    found = run()
    seconds = time.perf_counter() - started
    logits = np.asarray(mine.differentiable().logits(tf.constant(found)))
    fooled = logits.argmax(axis=1) != mine.labels
    moved = steps(mine.q, found, mine.spec)
    far = np.zeros(len(moved)) if mine.bounded else size(moved, mine.norm, mine.spec.steps)
    return Outcome(np.where(fooled, far, np.inf), seconds)
