"""Gradient attacks on a small trained network, before they are rounded, beside one another."""

import functools
from dataclasses import replace
from math import inf

import numpy as np
import pytest

from tests.support.networks import victim
from tests.support.networks.victim import SPEC, Net
from tinyrobust.attacks.base.input_grid import round_nearest
from tinyrobust.attacks.base.problem import Needs, Norm, Problem
from tinyrobust.attacks.black_box import square
from tinyrobust.attacks.gradients import graphs
from tinyrobust.attacks.registry import ATTACKS
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import Prediction
from tinyrobust.models.keras.tf import tf

N = 40
EPS = 0.14
"""Of the input range: where the small network is fooled on some samples and not on others."""

GRADIENT = {
    row.function: name for name, row in reversed(ATTACKS.items()) if row.needs is Needs.GRADIENTS
}
GRADIENT = {name: ATTACKS[name] for name in reversed(GRADIENT.values())}
"""Presets that change only the budget are left out."""
BOUNDED = [name for name, row in GRADIENT.items() if not row.minimises and row.norm is Norm.LINF]
MINIMAL = [name for name, row in GRADIENT.items() if row.minimises]
QUICK = ("fgsm", "bim", "pgd", "mi-fgsm", "apgd-ce")
EVERY = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in GRADIENT]
CANNOT_ALWAYS = ("cw-l2-s4", "cw-linf-s4", "ead-s4", "jsma")
"""Few steps, or few elements: the study's and the paper's own limits."""


@pytest.fixture(scope="module", autouse=True)
def _few_queries():
    """Square has tests of its own.

    5,000 queries one after the other would be most of the time here.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(square, "AUTOATTACK_QUERIES", 100)
        yield


@pytest.fixture(scope="module")
def net():
    return Net()


@pytest.fixture(scope="module")
def problem(net):
    q, labels = victim.samples()
    return Problem(
        q[:N], labels[:N], SPEC, Norm.LINF, EPS * (SPEC.high - SPEC.low), int(EPS * 255), 3, net
    )


def posed(problem, name):
    row = ATTACKS[name]
    return replace(problem, norm=row.norm, eps=inf, levels=255) if row.minimises else problem


def fooled(problem, real):
    return np.asarray(problem.source.logits(tf.constant(real))).argmax(axis=1) != problem.labels


@pytest.fixture(scope="module")
def made(problem):
    """What each attack returns, made once."""
    return functools.cache(lambda name: ATTACKS[name].function(posed(problem, name)))


@pytest.mark.parametrize("name", EVERY)
def test_what_an_attack_returns_is_in_range_and_in_budget_before_it_is_rounded(problem, made, name):
    given, real = posed(problem, name), made(name)
    assert real.dtype == np.float32
    assert real.min() >= SPEC.low - 1e-6
    assert real.max() <= SPEC.high + 1e-6
    assert np.abs(real - given.real).max() <= given.eps + 1e-6


@pytest.fixture(scope="module")
def by_noise(problem):
    rng = np.random.default_rng(0)
    return max(
        fooled(
            problem,
            np.clip(
                problem.real + problem.eps * rng.choice([-1, 1], problem.q.shape), -1, SPEC.high
            ),
        ).mean()
        for _ in range(5)
    )


@pytest.mark.parametrize("name", BOUNDED)
def test_a_bounded_attack_is_stronger_than_noise_and_no_weaker_than_one_step(
    problem, made, by_noise, name
):
    one_step, rate = (fooled(problem, made(attack)).mean() for attack in ("fgsm", name))
    assert rate > by_noise + 0.2
    assert rate >= one_step


def sizes(problem, real):
    """In pixels, [n] for each norm."""
    away = np.abs((real - problem.real) / problem.span).reshape(len(real), -1)
    return {
        Norm.LINF: away.max(axis=1),
        Norm.L2: np.sqrt((away**2).sum(axis=1)),
        Norm.L1: away.sum(axis=1),
        Norm.L0: (away > 1e-6).sum(axis=1),
    }


@pytest.fixture(scope="module")
def reached(problem, made):
    """The smallest perturbation of any attack that minimises, per norm: what each is held to."""
    best = {norm: np.full(N, inf) for norm in Norm}
    for name in MINIMAL:
        real = made(name)
        found = fooled(problem, real)
        for norm, size in sizes(problem, real).items():
            best[norm] = np.minimum(best[norm], np.where(found, size, inf))
    return best


@pytest.mark.slow
@pytest.mark.parametrize("name", MINIMAL)
def test_an_attack_that_minimises_fools_all_with_little(problem, made, reached, name):
    given, real, row = posed(problem, name), made(name), ATTACKS[name]
    found = fooled(given, real)
    assert found.all() or name in CANNOT_ALWAYS
    assert found.any()
    right = found & (reached[row.norm] > 0)
    assert np.median(sizes(given, real)[row.norm][right] / reached[row.norm][right]) < 1.5
    assert np.array_equal(real[~found], given.real[~found]), "what does not fool is returned clean"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cw-linf", "fab"])
def test_the_smallest_linf_is_no_larger_than_what_pgd_needs(problem, made, name):
    median = float(np.median(sizes(problem, made(name))[Norm.LINF]))
    tight = replace(problem, eps=median * problem.span, levels=255)
    assert fooled(tight, ATTACKS["pgd"].function(tight)).mean() < 0.75


@pytest.mark.parametrize("name", EVERY)
def test_what_the_source_gets_wrong_stays_wrong(problem, name):
    wrong = (problem.labels + 1) % 3
    given = replace(posed(problem, name), labels=wrong)
    already = fooled(given, given.real)
    assert already.mean() > 0.9
    real = ATTACKS[name].function(given)
    if not ATTACKS[name].minimises:  # judged as the chip would be given it
        q = round_nearest(given.q, real, given.spec, given.levels)
        real = given.spec.dequantize(q)
    assert fooled(given, real)[already].all()
    if ATTACKS[name].minimises:
        assert np.array_equal(real[already], given.real[already])


@pytest.mark.parametrize("name", ["pgd", "apgd-ce"])
def test_one_trace_serves_every_batch_size_and_budget(problem, name):
    function = ATTACKS[name].function
    function(problem)
    loops = graphs.graph(problem)._loops
    before = {how: loop.experimental_get_tracing_count() for how, loop in loops.items()}
    function(
        replace(problem, q=problem.q[:7], labels=problem.labels[:7], eps=problem.eps / 3, seed=9)
    )
    after = {how: loop.experimental_get_tracing_count() for how, loop in loops.items()}
    assert before == after
    assert set(after.values()) == {1}


class Two(Net):
    """The network's first two classes."""

    def logits(self, real):
        return super().logits(real)[:, :2]

    def predict(self, q):
        return Prediction(super().predict(q).logits[:, :2])


def of_two_classes(problem):
    few = problem.labels < 2
    return replace(problem, source=Two(), q=problem.q[few], labels=problem.labels[few])


def snapped(problem, real):
    return fooled(problem, SPEC.dequantize(round_nearest(problem.q, real, SPEC, problem.levels)))


@pytest.mark.slow
def test_autoattack_fools_all_that_its_first_part_fools_as_the_chip_sees_them(problem, made):
    whole = snapped(problem, made("autoattack"))
    assert not (snapped(problem, made("apgd-ce")) & ~whole).any()
    assert 0 < whole.mean() < 1


@pytest.mark.slow
def test_autoattack_does_without_the_ratio_where_there_are_two_classes(problem):
    two = of_two_classes(problem)
    whole = snapped(two, ATTACKS["autoattack"].function(two))
    assert not (snapped(two, ATTACKS["apgd-ce"].function(two)) & ~whole).any()
    assert whole.any()


def test_the_difference_of_logits_ratio_needs_three_classes(problem):
    two = of_two_classes(problem)
    with pytest.raises(UsageError, match="needs 3 classes, float32 has 2: use apgd-ce"):
        ATTACKS["apgd-dlr"].function(two)
