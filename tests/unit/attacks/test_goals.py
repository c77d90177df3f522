"""Targeted goals: any attack, gradients, scores or none, towards one class or each sample's own."""

import numpy as np
import pytest

from tests.support.networks.victim import SPEC, Asked, Net, samples
from tinyrobust.attacks.base.goals import LEAST_LIKELY, aimed, number
from tinyrobust.attacks.black_box.queries import Decisions
from tinyrobust.attacks.black_box.starts import TRIES, starts
from tinyrobust.attacks.make import AttackRequest, make, prepare
from tinyrobust.core.cells import Cell
from tinyrobust.core.errors import UsageError

N = 60
LARGE = 70 / 255


def made(name, target, source=None, eps=LARGE):
    q, labels = (part[:N] for part in samples())
    source = source or Net()
    cell = Cell(name, source.rung, eps)
    return make(AttackRequest(cell, source, q, labels, SPEC, target=target))


def answers(q):
    return Net().predict(q).logits.argmax(axis=1)


@pytest.mark.parametrize("name", ["fgsm", "pgd", pytest.param("apgd-t", marks=pytest.mark.slow)])
def test_attacks_by_gradients_reach_a_class(name):
    before = answers(samples()[0][:N]) == 1
    found = made(name, "1")
    after = answers(found.q) == 1
    assert after[~before].mean() > 0.25
    assert f"{np.sum(after & ~before)} of {np.sum(~before)} samples taken for their target" in (
        found.notes
    )
    assert np.mean(answers(made(name, "").q) == 1) < after.mean(), "any class is another question"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ddn", "cw-l2-s4", "jsma", "deepfool"])
def test_attacks_that_minimise_reach_a_class(name):
    found = made(name, "1", eps=1.0)
    moved = found.l0 > 0
    assert moved.any()
    assert (answers(found.q)[moved] == 1).all()


def test_an_attack_that_asks_reaches_a_class():
    found = made("square-l2", "2", Asked(), eps=2.5)
    after = answers(found.q) == 2
    assert after.mean() > (answers(samples()[0][:N]) == 2).mean() + 0.2


def test_least_likely_is_each_samples_own():
    logits = Net().predict(samples()[0][:N]).logits
    found = made("pgd", LEAST_LIKELY, eps=0.5)
    assert len(np.unique(logits.argmin(axis=1))) > 1
    assert np.mean(answers(found.q) == logits.argmin(axis=1)) > 0.5


@pytest.mark.parametrize("target", ["3", "-1", "1.0", "cat", "9" * 50, "²"])
def test_a_class_that_does_not_exist_is_one_line(target):
    with pytest.raises(UsageError, match=r"the model has classes 0\.\.2") as caught:
        made("pgd", target)
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError):
        number(target, 3)


@pytest.mark.parametrize(
    "name",
    [
        "hopskipjump",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("boundary", "geoda", "salt-and-pepper")
        ),
        pytest.param("boundary-s1", marks=pytest.mark.deep),
    ],
)
def test_attacks_that_ask_for_decisions_reach_a_class(name):
    """From samples of it: random inputs are hardly ever of one class."""
    before = answers(samples()[0][:N]) == 1
    found = made(name, "1", Asked(), eps=1.0)
    moved = found.l0 > 0
    assert moved[~before].mean() > (0.9 if name != "salt-and-pepper" else 0)
    assert (answers(found.q)[moved] == 1).all()
    assert np.array_equal(found.target, np.ones(N))


def test_a_start_is_a_sample_of_the_target_and_the_nearest_first():
    q, labels = (part[:N] for part in samples())
    request = AttackRequest(Cell("boundary", "native", 1.0), Asked(), q, labels, SPEC, target="2")
    problem = prepare(request).problem
    problem.goal.aim(2)
    queries = Decisions(problem, TRIES + 1)
    at, points = starts(problem, queries, np.random.default_rng(0))
    assert len(at) == len(queries.right)
    theirs = q[labels == 2].astype(np.float32).reshape(-1, SPEC.size)
    for i, point in zip(at, points.reshape(len(points), -1), strict=True):
        far = ((theirs - q[i].reshape(-1)) ** 2).sum(axis=1)
        assert np.array_equal(point, theirs[far.argmin()])


def test_without_a_sample_of_the_target_nothing_is_begun():
    q, labels = (part[:N] for part in samples())
    q, labels = q[labels != 2], labels[labels != 2]
    cell = Cell("hopskipjump", "native", 1.0)
    found = make(AttackRequest(cell, Asked(), q, labels, SPEC, target="2"))
    assert not found.l0.any()


def test_a_ratio_of_logits_cannot_be_aimed():
    q, labels = samples()
    request = AttackRequest(Cell("apgd-dlr", "float32", 0.1), Net(), q, labels, SPEC, target="1")
    with pytest.raises(UsageError, match=r"apgd-dlr cannot be given a target: .* use apgd-ce"):
        prepare(request)


def test_an_aimed_source_answers_for_its_class():
    source = Net()
    view = aimed(source)
    q = samples()[0][:N]
    for target in (0, 2):
        view.aim(target)
        won = view.predict(q).logits.argmax(axis=1) == 1
        assert np.array_equal(won, answers(q) == target)
        assert np.allclose(view.logits(SPEC.dequantize(q)), view.predict(q).logits, atol=1e-4)
    assert aimed(source) is view
