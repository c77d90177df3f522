import pytest

from tinyrobust.models.training.trainer import WarmRestarts

STEPS = 10


def rates(ends):
    schedule = WarmRestarts(2.0, ends, STEPS)
    return [float(schedule(step)) for step in range(ends[-1] * STEPS + 1)]


def test_warm_up_then_cosine_to_zero():
    found = rates((5,))
    assert found[:STEPS] == pytest.approx([0.2 * i for i in range(STEPS)])
    assert found[STEPS] == pytest.approx(2.0)
    assert found[3 * STEPS] == pytest.approx(1.0)
    assert found[5 * STEPS] == pytest.approx(0.0, abs=1e-6)


def test_a_restart_begins_again_at_the_top_and_leaves_the_cycle_before_as_it_was():
    found, whole = rates((5, 9)), rates((5,))
    assert found[: 5 * STEPS] == pytest.approx(whole[: 5 * STEPS])
    assert found[5 * STEPS] == pytest.approx(2.0)
    assert found[7 * STEPS] == pytest.approx(1.0)
    assert found[9 * STEPS] == pytest.approx(0.0, abs=1e-6)


def test_a_single_epoch_has_no_warm_up():
    assert rates((1,))[0] == pytest.approx(2.0)
