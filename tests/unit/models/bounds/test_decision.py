"""Decisions: proofs hold at every point, ties and clamps count against, SOFTMAX keeps a lead."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.networks.boxes import Answers, every_operator, grid_box, network, points
from tests.support.tflite.cases import Case
from tests.support.tflite.factory import Affine, Factory
from tests.support.tflite.networks import networks
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.bounds.certifier import Certifier, Method
from tinyrobust.models.bounds.decision import Scores, needed, proven
from tinyrobust.models.bounds.lines.affine import affine_of
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.plan.compiler import compile_plan
from tinyrobust.models.rungs.twin.operators import operator
from tinyrobust.models.rungs.twin.predictor import TwinPredictor

relaxed = settings(phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None)


def certifier_of(case):
    return Certifier(compile_plan(case.tflite).data, case.spec, case.grid)


def sound(case, levels=(0, 1, 4), n=40):
    certifier, twin = certifier_of(case), TwinPredictor(case.tflite, case.spec)
    q = case.samples(6)
    labels = certifier.predict(q)
    raw = twin.predict(q).raw
    np.testing.assert_array_equal(labels, raw.argmax(1))
    proofs = 0
    for by in levels:
        for method in Method:
            bounds = certifier.bound(*grid_box(q, by), labels, method)
            proofs += bounds.proven.sum()
            for x in points(q[bounds.proven], by, n):
                said = twin.predict(x).raw.astype(int)
                own = said[np.arange(len(said)), labels[bounds.proven]]
                said[np.arange(len(said)), labels[bounds.proven]] = -99999
                assert (own > said.max(1)).all(), (case, by, method)
    return proofs


@pytest.mark.slow
@pytest.mark.parametrize(("wide", "softmax"), [(False, True), (True, False)])
def test_proofs_hold(wide, softmax):
    assert sound(every_operator(wide, softmax), (1,), n=20) > 0


@pytest.mark.deep
@settings(relaxed, max_examples=60)
@given(networks())
def test_proofs_hold_on_many_networks(case):
    sound(case)


def last(per_channel):
    """Two classes from one input each; the second's factor is twice the first's, or the same."""
    f = Factory()
    x = f.input((1, 2), Affine(0.1))
    w = np.array([[100, 0], [0, 100]], np.int8)
    y = f.fully_connected(x, w, [0.01, 0.02] if per_channel else [0.01], None, Affine(0.1))
    spec = TensorSpec((2,), 0.1, 0)
    return affine_of(Answers(Case("LAST", "", spec, spec, f.build(x, y))).network, 0)


def decided(low, high, difference, lead=1, per_channel=False):
    scores = Scores(
        np.array([low], np.int64),
        np.array([high], np.int64),
        np.array([[0.0, difference]]),
    )
    return bool(proven(scores, np.zeros(1, np.int64), last(per_channel), lead)[0])


@pytest.mark.parametrize(
    ("low", "high", "difference", "lead", "says"),
    [
        ((5, 0), (9, 4), -99.0, 1, True),
        ((4, 0), (9, 4), -99.0, 1, False),
        ((4, 0), (9, 3), -99.0, 2, False),
        ((0, 0), (9, 9), 0.9, 1, False),
        ((0, 0), (9, 9), 1.1, 1, True),
        ((0, 0), (9, 9), 1.1, 2, False),
        ((0, 0), (9, 9), 2.1, 2, True),
        ((0, 0), (127, 127), 50.0, 1, False),
        ((0, 0), (127, 126), 50.0, 1, True),
        ((-128, -128), (9, 9), 50.0, 1, False),
        ((-127, -128), (9, 9), 50.0, 1, True),
        ((0, 0), (126, 127), 50.0, 1, True),
        ((-128, -127), (9, 9), 50.0, 1, True),
        ((-128, -127), (127, 127), 50.0, 1, False),
    ],
)
def test_ties_roundings_and_clamps(low, high, difference, lead, says):
    assert decided(low, high, difference, lead) is says
    assert decided(low, high, difference, lead, per_channel=True) is says


def test_differences_of_channels_with_different_factors_are_of_real_outputs():
    """100 * x0 at 0.01 against 100 * x1 at 0.02: sums alone would call [12..] ahead of [8..]."""
    f = Factory()
    x = f.input((1, 2), Affine(0.1))
    w = np.array([[100, 0], [0, 100]], np.int8)
    y = f.fully_connected(x, w, [0.01, 0.02], None, Affine(0.1))
    spec = TensorSpec((2,), 0.1, 0)
    case = Case("LAST", "", spec, spec, f.build(x, y))
    q = np.array([[12, 8], [20, 8]], np.int8)
    bounds = certifier_of(case).bound(q, q, np.zeros(2, np.int64), Method.INTERVAL)
    np.testing.assert_array_equal(bounds.proven, [False, True])
    np.testing.assert_allclose(bounds.scores.difference[:, 1], [-4, 4], atol=0.01)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 12), st.floats(-9, 1), st.booleans(), st.integers(0, 2**32 - 1))
def test_softmax_keeps_the_lead_that_is_asked_of_its_inputs(classes, power, wide, seed):
    f = Factory(wide)
    scale = float(np.float32(2.0**power / (256 if wide else 1)))
    x = f.input((1, classes), Affine(scale))
    spec = TensorSpec((classes,), scale, 0, "int16" if wide else "int8")
    y = f.fully_connected(x, np.eye(classes, dtype=np.int8), [1.0], None, Affine(scale))
    case = Case("SOFTMAX", "", spec, spec, f.build(x, f.softmax(y)))
    made = network(case.tflite)
    lead = needed(made.softmax, classes)
    top = 32767 if wide else 127
    if lead > top:
        return
    rng = np.random.default_rng(seed)
    rows = rng.integers(-top, top - lead + 1, (400, classes))
    rows[:200] = rng.integers(-top, top - lead + 1, (200, 1))  # all others equally near
    rows[:, 0] = rows[:, 1:].max(1) + lead
    out = operator(made.program, made.softmax, tf.constant(rows, tf.float32)).numpy()
    out = out.reshape(rows.shape)
    assert (out[:, 0] > out[:, 1:].max(1)).all()


def test_an_undecided_lead_is_felt():
    """At a scale of 1/1000 one level of ten classes disappears in SOFTMAX's bytes."""
    f = Factory()
    x = f.input((1, 10), Affine(0.001))
    y = f.fully_connected(x, np.eye(10, dtype=np.int8), [1.0], None, Affine(0.001))
    spec = TensorSpec((10,), 0.001, 0)
    certifier = certifier_of(Case("SOFTMAX", "", spec, spec, f.build(x, f.softmax(y))))
    q = np.zeros((1, 10), np.int8)
    q[0, 5] = 1
    assert certifier.lead > 1
    assert certifier.predict(q)[0] == 0
    assert not certifier.bound(q, q, np.array([5]), Method.INTERVAL).proven[0]
