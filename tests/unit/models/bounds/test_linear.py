"""Linear bounds: nothing escapes them, none is looser than its interval, all roundings are in."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.networks.boxes import Answers, every_operator, fed, grid_box, points
from tests.support.tflite.cases import OPERATORS, Case
from tests.support.tflite.factory import Affine as Quantized
from tests.support.tflite.factory import Factory
from tests.support.tflite.networks import networks
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.bounds.interval import propagate
from tinyrobust.models.bounds.lines.affine import affine_of
from tinyrobust.models.bounds.lines.linear import Linear
from tinyrobust.models.bounds.lines.relaxation import lines, staircase
from tinyrobust.models.bounds.scaled import rounding_error
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.twin.requantize import Factor, multiply

relaxed = settings(phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None)
BOUNDED = [name for name in OPERATORS if name.split()[0] not in ("SOFTMAX", "RESHAPE")]


def holds(case, levels=(0, 3, 40), n=6):
    answers, q = Answers(case), case.samples(3)
    linear = Linear(answers.network)
    for by in levels:
        box = tuple(fed(case, end) for end in grid_box(q, by))
        exact = propagate(answers.network, box)
        known = linear.bounded(tuple(tf.constant(end, tf.float64) for end in box))
        for x in points(q, by, n):
            values = answers(x)
            for i, (known_i, y) in enumerate(zip(known, values, strict=True)):
                low, high = known_i.box
                assert (low.numpy() <= y).all(), (case, by, i)
                assert (y <= high.numpy()).all(), (case, by, i)
                _lines_hold(answers.network, linear, known_i, i, fed(case, x), values)
        for known_i, (low, high) in zip(known, exact, strict=True):
            assert (known_i.box[0].numpy() >= low.numpy()).all()
            assert (known_i.box[1].numpy() <= high.numpy()).all()
        if by == 0:
            for known_i, y in zip(known, answers(q), strict=True):
                np.testing.assert_array_equal(known_i.box[0], y)
                np.testing.assert_array_equal(known_i.box[1], y)


def _one(case):
    holds(case)


def _lines_hold(network, linear, known, i, x, values):
    op = linear.operators[i]
    if op is None or known.lines is None:
        return
    inputs = [x if at < 0 else values[at] for at in network.nodes[i].inputs]
    pairs = [(tf.constant(v, tf.float64),) * 2 for v in inputs]
    z, near = op.ends(pairs)[0].numpy(), 1e-6
    line = known.lines
    assert (line.lower_slope * z + line.lower <= values[i] + near).numpy().all()
    assert (line.upper_slope * z + line.upper >= values[i] - near).numpy().all()
    rounded = np.clip(z, op.low, op.high)
    assert (abs(values[i] - rounded) <= op.error + near).all(), "rounding goes farther than it may"


@pytest.mark.slow
@pytest.mark.parametrize("wide", [False, True])
def test_a_network_of_every_operator(wide):
    holds(every_operator(wide), (0, 2), 4)


@pytest.mark.slow
@pytest.mark.parametrize("operator", BOUNDED)
def test_operator(operator):
    settings(relaxed, max_examples=2)(given(OPERATORS[operator])(_one))()


@pytest.mark.deep
@pytest.mark.parametrize("operator", BOUNDED)
def test_operator_at_many_parameters(operator):
    settings(relaxed, max_examples=50)(given(OPERATORS[operator])(_one))()


@pytest.mark.slow
@settings(relaxed, max_examples=3)
@given(networks())
def test_network(case):
    holds(case, n=4)


@pytest.mark.deep
@settings(relaxed, max_examples=100)
@given(networks())
def test_many_networks(case):
    holds(case)


@settings(max_examples=30, deadline=None)
@given(st.integers(1 << 30, (1 << 31) - 1), st.integers(0, 12))
def test_two_roundings_go_as_far_as_is_said_and_no_farther(q31, right):
    factor = Factor.of(q31, -right)
    sums = np.arange(-5000, 5000)
    off = abs(multiply(tf.constant(sums, tf.int64), factor).numpy() - sums * float(factor.real))
    assert off.max() <= rounding_error(factor)


def test_the_first_of_two_roundings_is_felt():
    """A sum of 1 by a factor just under 1/2: rounded up to 1 first, then to a whole level."""
    factor = Factor.of((1 << 31) - 1, -1)
    off = abs(float(multiply(tf.constant([1], tf.int64), factor)[0]) - float(factor.real))
    assert 0.5 < off <= rounding_error(factor)


@settings(max_examples=200, deadline=None)
@given(
    st.floats(-300, 300),
    st.floats(0, 200),
    st.floats(0.5, 0.75),
    st.integers(-128, 100),
    st.integers(0, 100),
)
def test_lines_hold_wherever_clamps_lie(start, width, error, act_min, span):
    """Every value of the staircase that the error allows, at both of its edges."""
    act_max = min(act_min + span, 127)
    z = np.linspace(start, start + width, 101)
    up = np.clip(np.floor(z + error), act_min, act_max)
    down = np.clip(np.ceil(z - error), act_min, act_max)
    ends = tuple(np.array([[v]]) for v in (z[0], z[-1]))
    y = tuple(np.array([[v]]) for v in (down.min(), up.max()))
    line = lines(staircase(error, ends, y))
    lower = float(line.lower_slope[0, 0]) * z + float(line.lower[0, 0])
    upper = float(line.upper_slope[0, 0]) * z + float(line.upper[0, 0])
    assert (lower <= down + 1e-9).all()
    assert (upper >= up - 1e-9).all()


def test_cancelling_paths_are_seen_through():
    """x - x through two layers: intervals give twice the range, lines little but the roundings."""
    f = Factory()
    unit = Quantized(1.0)
    x = f.input((1, 1), unit)
    y = f.fully_connected(x, np.array([[1], [1]], np.int8), [1.0], None, unit)
    z = f.fully_connected(y, np.array([[1, -1], [1, 1]], np.int8), [1.0], None, unit)
    spec = TensorSpec((1,), 1.0, 0)
    answers = Answers(Case("DENSE", "", spec, spec, f.build(x, z)))
    box = tuple(np.array([[v]]) for v in (-20.0, 20.0))
    (_, (low, high)) = propagate(answers.network, tuple(b.astype(np.float32) for b in box))
    assert (int(low[0, 0]), int(high[0, 0])) == (-40, 40)
    low, high = Linear(answers.network).bounded(tuple(map(tf.constant, box)))[1].box
    assert -2 <= float(low[0, 0]) <= 0 <= float(high[0, 0]) <= 2


def test_the_bound_on_floats_errors_is_small_and_there():
    """Half of the largest weight pattern: far below a level, above one unit of the last place."""
    op = affine_of(Answers(every_operator()).network, 0)
    assert 0 < op.roundoff * op.magnitude.max() < 1e-6
