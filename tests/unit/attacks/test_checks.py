"""A broken attack, or a network whose gradients lie, is called by name; a sane one is not."""

import dataclasses

import numpy as np
import pytest

from tests.support.networks.victim import SPEC, Net, right, samples
from tinyrobust.attacks.gradients.losses import cross_entropy, ratio
from tinyrobust.attacks.make import AttackRequest, make
from tinyrobust.attacks.registry import ATTACKS, HOME, find
from tinyrobust.core.cells import Cell, FlagKind

EPS = 24 / 255


def flags(source, name="pgd", eps=EPS):
    q, labels = samples()
    return {
        flag.kind
        for flag in make(AttackRequest(Cell(name, "float32", eps), source, q, labels, SPEC)).flags
    }


@pytest.fixture
def planted(monkeypatch):
    """Puts a function in the place of an attack of the registry."""

    def plant(function, **changes):
        row = dataclasses.replace(find("pgd"), name="planted", function=function, **changes)
        monkeypatch.setitem(ATTACKS, "planted", row)
        monkeypatch.setitem(HOME, "planted", HOME["pgd"])

    return plant


@pytest.mark.parametrize("name", ["fgsm", "pgd"])
@pytest.mark.parametrize("eps", [2 / 255, 24 / 255])
def test_a_sane_network_and_a_sane_attack_show_none(name, eps):
    assert flags(Net(), name, eps) == set()


def test_gradients_that_vanish():
    assert FlagKind.MASKED_GRADIENTS in flags(Net(gain=0.0))


class Sure(Net):
    """A network so sure of itself that its cross-entropy underflows, and with it every gradient."""

    def __init__(self):
        super().__init__(gain=1e4)


def test_gradients_lost_in_the_loss_that_an_attack_climbs(planted):
    planted(find("pgd").function, loss=cross_entropy)
    assert FlagKind.MASKED_GRADIENTS in flags(Sure(), "planted")
    planted(find("pgd").function, loss=ratio)
    assert FlagKind.MASKED_GRADIENTS not in flags(Sure(), "planted")


def towards_the_label(problem):
    """FGSM with its sign turned round."""
    return 2 * problem.real - find("fgsm").function(problem)


def test_a_loss_that_falls(planted):
    planted(towards_the_label)
    assert FlagKind.LOSS_NOT_RISING in flags(Net(), "planted")


def test_an_attack_that_does_nothing(planted):
    planted(lambda problem: problem.real)
    assert {FlagKind.LOSS_NOT_RISING, FlagKind.WEAKER_THAN_ONE_STEP} <= flags(Net(), "planted")
    assert FlagKind.NOISE_AS_STRONG in flags(Net(), "planted", 0.9)


def too_small_a_step(problem):
    """PGD whose steps together do not leave the neighbourhood of the start."""
    return problem.real + (find("fgsm").function(problem) - problem.real) * 0.1


def test_a_step_that_is_too_small(planted):
    planted(too_small_a_step)
    assert flags(Net(), "planted") == {FlagKind.WEAKER_THAN_ONE_STEP}


def test_a_budget_below_one_level():
    assert flags(Net(), eps=0.002) == {FlagKind.BELOW_ONE_LEVEL}


def test_a_batch_that_fails_is_left_clean_and_marked(planted):
    def fails_now_and_then(problem):
        if len(problem.q) < 128:
            raise FloatingPointError("log of\n zero")
        return find("pgd").function(problem)

    planted(fails_now_and_then)
    q, labels = samples()
    made = make(AttackRequest(Cell("planted", "float32", EPS), Net(), q, labels, SPEC))
    assert made.failed.tolist() == [False] * 128 + [True] * 72
    assert np.array_equal(made.q[128:], q[128:])
    assert right(Net(), made.q)[:128].mean() < 0.9
    assert made.notes == ("samples 128 to 199 are left clean: FloatingPointError: log of zero",)
    assert [flag.kind for flag in made.flags] == [FlagKind.FAILED]
    assert made.flags[0].detail.startswith("72 of 200 samples")


def test_results_that_are_not_numbers_are_a_failure(planted):
    planted(lambda problem: problem.real * np.float32("nan"))
    q, labels = samples()
    made = make(AttackRequest(Cell("planted", "float32", EPS), Net(), q, labels, SPEC))
    assert made.failed.all()
    assert "NaN" in made.notes[0]
