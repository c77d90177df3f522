"""Attacks that search on one network and have what they find confirmed by another."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.support.networks.digits_net import Net, net, samples
from tests.unit.attacks.black_box.test_scores_and_decisions import MINIMISING, SMALL, N, pose
from tinyrobust.attacks.base.goals import aimed
from tinyrobust.attacks.base.problem import AttackInfo, Needs
from tinyrobust.attacks.base.searched import Searched, decided
from tinyrobust.attacks.batches import attack
from tinyrobust.host.runs.asking.views import SearchedOn


def blurred():
    """The network with other weights: it is often wrong where the first is right."""
    rng, exact = np.random.default_rng(3), net()
    weights = [w + rng.normal(0, 0.15 * w.std(), w.shape).astype(np.float32) for w in exact.weights]
    return Net(weights, exact.biases, exact.step)


def searched(name, fast, exact):
    function, norm, _ = SMALL[name]
    source = SearchedOn(fast, exact)
    info = AttackInfo(name, name, Needs.SCORES, norm, "", function, name in MINIMISING)
    made = attack(info, pose(source, norm, name not in MINIMISING))
    assert not made.failure
    return made, source.tally


def wrong(q):
    return net().predict(q).logits.argmax(axis=1) != samples(len(q))[1]


@pytest.mark.parametrize("name", SMALL)
def test_what_is_kept_is_confirmed(name):
    exact = net()
    made, tally = searched(name, blurred(), exact)
    assert tally.refuted > 0
    assert exact.asked == tally.confirmed + tally.refuted
    assert made.tally == (tally.confirmed, tally.refuted)
    if name in MINIMISING:
        moved = np.any(made.q != samples(N)[0], axis=(1, 2, 3))
        assert moved.any()
        assert np.all(wrong(made.q)[moved])
    else:
        assert wrong(made.q).sum() >= tally.confirmed > 0


@pytest.mark.parametrize("name", ["square-linf", "hopskipjump"])
def test_on_the_network_itself_a_search_is_the_attack(name):
    function, norm, _ = SMALL[name]
    info = AttackInfo(name, name, Needs.SCORES, norm, "", function, name in MINIMISING)
    alone = attack(info, pose(net(), norm, name not in MINIMISING))
    made, tally = searched(name, net(), net())
    assert np.array_equal(made.q, alone.q)
    assert tally.refuted == 0 < tally.confirmed
    assert alone.tally == (0, 0)


def test_a_target_is_confirmed_as_a_target():
    source = SearchedOn(blurred(), net())
    view = aimed(source)
    assert isinstance(view, Searched)
    assert view.tally is source.tally
    view.aim(3)
    q = samples(N)[0]
    assert np.array_equal(
        view.confirm(q).logits.argmax(axis=1) == 1, net().predict(q).logits.argmax(axis=1) == 3
    )
    problem = replace(pose(view, SMALL["square-linf"][1], True), labels=np.zeros(N, np.int64))
    info = AttackInfo("s", "s", Needs.SCORES, problem.norm, "", SMALL["square-linf"][0])
    made = attack(info, problem)
    taken = net().predict(made.q).logits.argmax(axis=1) == 3
    assert taken.sum() >= made.tally[0] > 0


logits = hnp.arrays(
    np.float32, (3, 5), elements=st.floats(-100, 100, width=32, allow_subnormal=False)
)


@given(logits, st.lists(st.integers(0, 4), min_size=3, max_size=3))
def test_a_decided_class_is_the_argmax_and_all_else_stays(scores, classes):
    made = decided(scores, np.array(classes))
    assert made.argmax(axis=1).tolist() == classes
    rows, columns = np.nonzero(made != scores)
    assert all(classes[row] == column for row, column in zip(rows, columns, strict=True))
    assert np.all(made.max(axis=1) <= np.nextafter(scores.max(axis=1), np.float32(np.inf)))
