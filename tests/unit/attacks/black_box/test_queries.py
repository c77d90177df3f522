import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.support.networks.digits_net import SPEC, net, samples
from tinyrobust.attacks.base.input_grid import change, size
from tinyrobust.attacks.base.problem import Norm, Problem, SpentError, StoppedError
from tinyrobust.attacks.black_box.queries import Decisions, Scores, margin, to_grid
from tinyrobust.core.types import TensorSpec


def problem(source, n=8, norm=Norm.L2, eps=math.inf, levels=255):
    q, labels = samples(n)
    return Problem(q, labels, SPEC, norm, eps * SPEC.scale * 255, levels, 0, source)


def test_every_question_is_counted_and_none_is_asked_beyond_the_budget():
    source = net()
    queries = Scores(problem(source), 4)
    at = np.array([0, 0, 3])
    queries.logits(at, queries.clean[at])
    assert queries.asked.tolist() == [3, 1, 1, 2, 1, 1, 1, 1]
    assert queries.left == 1
    queries.adversarial(np.array([0]), queries.clean[:1])
    before = source.asked
    with pytest.raises(SpentError):
        queries.margins(np.array([1, 0]), queries.clean[:2])
    assert source.asked == before == queries.asked.sum()


def test_a_sample_that_has_spent_the_users_budget_leaves_the_others_theirs():
    source = net()
    queries = Scores(replace(problem(source, 2), queries=5), 100)
    far = np.full((6, *SPEC.shape), 127, np.float32)
    queries.adversarial(np.zeros(3, np.int64), far[:3])
    answers = queries.logits(np.array([0, 0, 0, 1, 1, 1]), far)
    clean, fooled = (
        net().predict(samples(2)[0]).logits,
        net().predict(np.full((1, *SPEC.shape), 127, np.int8)).logits,
    )
    assert np.array_equal(
        answers, np.concatenate([fooled, clean[:1], clean[:1], fooled, fooled, fooled])
    )
    assert queries.asked.tolist() == [5, 4]
    assert queries.open(np.arange(2)).tolist() == [1]
    with pytest.raises(StoppedError) as stopped:
        queries.adversarial(np.zeros(2, np.int64), far[:2])
    assert np.array_equal(stopped.value.result, queries.result)
    assert source.asked == 9


def test_all_samples_are_asked_in_one_batch():
    source = net()
    queries = Decisions(problem(source), 100)
    at = np.tile(np.arange(8), 5)
    queries.adversarial(at, queries.clean[at])
    assert source.sizes == [8, 40]


def test_large_questions_are_asked_in_parts(monkeypatch):
    monkeypatch.setattr("tinyrobust.attacks.black_box.queries.CHUNK_BYTES", 3 * SPEC.size)
    source = net()
    whole = Scores(problem(net()), 10).logits(np.arange(8), samples(8)[0].astype(np.float32))
    parts = Scores(problem(source), 10).logits(np.arange(8), samples(8)[0].astype(np.float32))
    assert np.array_equal(whole, parts)
    assert set(source.sizes) == {3, 2}


def test_decisions_show_nothing_but_decisions():
    queries = Decisions(problem(net()), 10)
    assert not hasattr(queries, "logits")
    assert not hasattr(queries, "margins")
    assert queries.adversarial(np.arange(8), queries.clean).dtype == np.bool_


def test_the_closest_adversarial_point_asked_is_kept():
    source = net()
    q, labels = samples(8)
    queries = Decisions(problem(source), 100)
    others = np.stack([q[labels != label][0] for label in labels]).astype(np.float32)
    shares = (0.9, 1.0, 0.95)
    for share in shares:
        queries.adversarial(np.arange(8), queries.clean + share * (others - queries.clean))
    assert queries.found.all()
    right = source.predict(queries.best).logits.argmax(axis=1) == labels
    assert not right.any()
    assert np.allclose(queries.distance, size(change(q, queries.best), Norm.L2))
    twice = Decisions(problem(source), 100)
    at = np.tile(np.arange(8), 3)
    points = np.concatenate([queries.clean + share * (others - queries.clean) for share in shares])
    twice.adversarial(at, points)
    assert np.array_equal(twice.best, queries.best)


def test_what_is_misclassified_already_is_kept_clean():
    q, labels = samples(8)
    source = net()
    lost = Problem(q, (labels + 1) % 10, SPEC, Norm.L2, math.inf, 255, 0, source)
    queries = Decisions(lost, 100)
    far = np.full(queries.clean.shape, 127, np.float32)
    queries.adversarial(np.arange(8), far)
    assert len(queries.right) == 0
    assert np.array_equal(queries.best, q)
    assert np.array_equal(queries.result, SPEC.dequantize(q))


def test_a_tie_has_the_sign_of_its_prediction():
    logits = np.array([[1, 1, 0], [1, 1, 0], [0, 2, 1], [0, 2, 5]], np.float32)
    gaps = margin(logits, np.array([0, 1, 1, 1]))
    assert (gaps >= 0).tolist() == [True, False, True, False]
    assert gaps[[2, 3]].tolist() == [1, -3]


SPECS = [TensorSpec((3, 2), 1 / 255, -128), TensorSpec((3, 2), 0.5847029, 83)]
points = hnp.arrays(np.float32, (4, 3, 2), elements=st.floats(-300, 300, width=32))


@given(st.sampled_from(SPECS), hnp.arrays(np.int8, (4, 3, 2)), points, st.floats(0.02, 3))
def test_questions_are_inside_an_l2_budget_and_near_what_was_meant(spec, q, asked, eps):
    span = spec.high - spec.low
    bounded = Problem(q, np.zeros(4, np.int64), spec, Norm.L2, eps * span, 255, 0, None)
    there = to_grid(bounded, np.arange(4), asked)
    assert size(change(q, there), Norm.L2).max() <= eps * (1 + 1e-5)
    meant = np.clip(asked, -128, 127) - q
    assert np.all(np.abs(there - q.astype(np.float32)) <= np.abs(meant) + 0.5)


@given(hnp.arrays(np.int8, (4, 3, 2)), points, st.integers(1, 255))
def test_questions_are_inside_an_linf_budget(q, asked, levels):
    eps = levels / 255 * 255 * SPECS[0].scale
    bounded = Problem(q, np.zeros(4, np.int64), SPECS[0], Norm.LINF, eps, levels, 0, None)
    assert np.abs(to_grid(bounded, np.arange(4), asked).astype(int) - q).max() <= levels


@given(hnp.arrays(np.int8, (4, 3, 2)), hnp.arrays(np.int8, (4, 3, 2)))
def test_grid_points_are_asked_as_they_are(q, asked):
    free = Problem(q, np.zeros(4, np.int64), SPECS[0], Norm.L2, math.inf, 255, 0, None)
    assert np.array_equal(to_grid(free, np.arange(4), asked.astype(np.float32)), asked)
