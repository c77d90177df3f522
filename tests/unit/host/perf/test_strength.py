"""Every attack that has a reference implementation finds as much at equal steps, within noise."""

import numpy as np
import pytest

from tinyrobust.attacks.base.problem import Norm
from tinyrobust.host.perf.strength.pairs import (
    NEAR,
    Outcome,
    Pair,
    clearly_weaker,
    compared,
    pairs,
    problem,
)
from tinyrobust.host.perf.strength.references import has_art

PAIRS = {f"{pair.attack} by {pair.library}": pair for pair in pairs()}


@pytest.fixture(scope="module")
def given():
    return problem()


@pytest.mark.deep
@pytest.mark.parametrize("name", PAIRS)
def test_ours_finds_as_much_as_the_reference_at_equal_steps(given, name):
    pair = PAIRS[name]
    ours, theirs = compared(given, pair)
    if pair.bounded:
        assert 0 < theirs.fooled < 1, "a share that any attack reaches compares nothing"
    assert not clearly_weaker(pair, ours, theirs), (
        f"fooled {ours.fooled:.3f} and {theirs.fooled:.3f}, "
        f"median {ours.median:.4g} and {theirs.median:.4g}"
    )


def test_art_is_there_in_development():
    assert has_art(), "the dev extra has it: pip install -r requirements.lock"


def distances(*values):
    return Outcome(np.array(values, float), 1.0)


@pytest.mark.parametrize(
    ("bounded", "ours", "theirs", "weaker"),
    [
        (True, [0] * 9 + [np.inf], [0] * 10, False),
        (True, [0] * 5 + [np.inf] * 5, [0] * 10, True),
        (True, [0] * 10, [0] * 5 + [np.inf] * 5, False),
        (False, [1.0] * 10, [1.0 / (1 + NEAR)] * 10, False),
        (False, [1.1] * 10, [1.0] * 10, True),
        (False, [1.1] * 6 + [0.9] * 4, [1.0] * 10, False),
        (False, [np.inf] * 10, [1.0] * 10, True),
        (False, [np.inf] * 10, [np.inf] * 10, False),
    ],
)
def test_weaker_is_more_than_noise(bounded, ours, theirs, weaker):
    pair = Pair("a", "b", "c", Norm.L2, bounded, None, None)
    assert clearly_weaker(pair, distances(*ours), distances(*theirs)) == weaker
