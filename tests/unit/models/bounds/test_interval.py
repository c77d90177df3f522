"""Intervals: nothing escapes them, their ends are reached, boxes of one point are the network."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.support.networks.boxes import Answers, every_operator, fed, grid_box, points
from tests.support.tflite.cases import OPERATORS, Case
from tests.support.tflite.factory import Affine, Factory
from tests.support.tflite.networks import networks
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.bounds.interval import propagate

relaxed = settings(phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None)
BOUNDED = [name for name in OPERATORS if not name.startswith("SOFTMAX")]


def boxes_of(answers, q, levels):
    box = tuple(fed(answers.case, end) for end in grid_box(q, levels))
    return [tuple(np.asarray(end) for end in b) for b in propagate(answers.network, box)]


def holds(case, levels=(0, 3, 40), n=6):
    answers, q = Answers(case), case.samples(4)
    for by in levels:
        boxes = boxes_of(answers, q, by)
        for x in points(q, by, n):
            for (low, high), y in zip(boxes, answers(x), strict=True):
                assert (low <= y).all(), (case, by)
                assert (y <= high).all(), (case, by)
        if by == 0:
            for (low, high), y in zip(boxes, answers(q), strict=True):
                np.testing.assert_array_equal(low, y)
                np.testing.assert_array_equal(high, y)


@pytest.mark.parametrize("wide", [False, True])
def test_a_network_of_every_operator(wide):
    holds(every_operator(wide), (0, 2), 4)


@pytest.mark.slow
@pytest.mark.parametrize("operator", BOUNDED)
def test_operator(operator):
    settings(relaxed, max_examples=4)(given(OPERATORS[operator])(_one))()


@pytest.mark.deep
@pytest.mark.parametrize("operator", BOUNDED)
def test_operator_at_many_parameters(operator):
    settings(relaxed, max_examples=100)(given(OPERATORS[operator])(_one))()


def _one(case):
    if case.operator != "RESHAPE":
        holds(case)


@pytest.mark.slow
@settings(relaxed, max_examples=6)
@given(networks())
def test_network(case):
    holds(case)


@pytest.mark.deep
@settings(relaxed, max_examples=200)
@given(networks())
def test_many_networks(case):
    holds(case)


def weighted(activation="NONE", per_channel=True):
    rng = np.random.default_rng(2)
    f = Factory()
    x = f.input((1, 12), Affine(0.02, -7))
    w = rng.integers(-127, 128, (6, 12), np.int8)
    scales = list(rng.uniform(0.002, 0.01, 6)) if per_channel else [0.005]
    bias = rng.integers(-3000, 3000, 6).astype(np.int32)
    y = f.fully_connected(x, w, scales, bias, Affine(0.05, -3), activation)
    spec = TensorSpec((12,), 0.02, -7)
    return Case("DENSE", "", spec, spec, f.build(x, y)), w


@pytest.mark.parametrize("per_channel", [False, True])
def test_both_ends_are_reached_at_the_corners_that_the_weights_name(per_channel):
    case, w = weighted(per_channel=per_channel)
    answers, q = Answers(case), case.samples(3, seed=5)[:1]
    ((low, high),) = boxes_of(answers, q, 9)
    least, most = grid_box(q, 9)
    for channel in range(6):
        up = np.where(w[channel] > 0, most, least).astype(np.int8)
        down = np.where(w[channel] > 0, least, most).astype(np.int8)
        assert answers(up)[0][0, channel] == high[0, channel]
        assert answers(down)[0][0, channel] == low[0, channel]


def test_a_shift_to_the_left_that_loses_bits_gives_the_whole_range():
    """QUANTIZE to a scale 2**27 times finer: levels beyond 16 are shifted out of int32."""
    f = Factory()
    x = f.input((1, 4), Affine(1.0))
    tflite = f.build(x, f.quantize(x, Affine(2.0**-27)))
    spec = TensorSpec((4,), 1.0, 0)
    answers = Answers(Case("QUANTIZE", "", spec, spec, tflite))
    q = np.array([[0, 3, 14, 90]], np.int8)
    ((low, high),) = boxes_of(answers, q, 2)
    every = np.arange(-2, 3, dtype=np.int8)[:, None] + q
    said = answers(every)[0]
    assert (low <= said).all()
    assert (said <= high).all()
    assert (low[0, 3], high[0, 3]) == (-128, 127)
    assert len(np.unique(said[:, 2])) > 1, "no top bit was lost: the case proves nothing"


def test_softmax_at_the_end_is_left_off_and_inside_is_refused():
    assert Answers(every_operator(softmax=True)).network.softmax is not None
    f = Factory()
    x = f.input((1, 4), Affine(0.1))
    y = f.softmax(x)
    w = np.ones((2, 4), np.int8)
    tflite = f.build(x, f.fully_connected(y, w, [0.1], None, Affine(0.1)))
    spec = TensorSpec((4,), 0.1, 0)
    with pytest.raises(UsageError, match="operator 0, SOFTMAX inside of a network, has no bound"):
        Answers(Case("SOFTMAX", "", spec, spec, tflite))
