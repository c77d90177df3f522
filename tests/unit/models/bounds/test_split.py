"""Branch and bound: certified holds at every point, broken is broken, and time ends it."""

import itertools

import numpy as np
import pytest

from tests.support.tflite.cases import Case
from tests.support.tflite.factory import Affine, Factory
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.bounds.certifier import Certifier, Method
from tinyrobust.models.bounds.clamps.parts import Activations, Part
from tinyrobust.models.bounds.clamps.search import ClampSearch
from tinyrobust.models.bounds.split import Status, search
from tinyrobust.models.bounds.verdicts import AUTO, box, decide, methods_for, searcher
from tinyrobust.models.plan.compiler import compile_plan


@pytest.fixture(scope="module")
def certifier():
    """Three inputs, eight hidden values, two classes; small enough to ask every point of a box."""
    rng = np.random.default_rng(3)
    f = Factory()
    spec = TensorSpec((3,), 1 / 32, 0)
    x = f.input((1, 3), Affine(1 / 32))
    w = rng.integers(-127, 128, (8, 3), np.int8)
    y = f.fully_connected(x, w, [1 / 128], None, Affine(1 / 32, -128), "RELU")
    w = rng.integers(-127, 128, (2, 8), np.int8)
    y = f.fully_connected(y, w, [1 / 128], None, Affine(1 / 16))
    case = Case("SMALL", "", spec, spec, f.build(x, y))
    return Certifier(compile_plan(case.tflite).data, spec, spec)


def every_point(q, levels):
    steps = itertools.product(range(-levels, levels + 1), repeat=3)
    return np.clip(q.astype(int) + np.array(list(steps)), -128, 127).astype(np.int8)


def test_verdicts_are_those_of_every_point(certifier):
    q = np.random.default_rng(4).integers(-100, 100, (40, 3)).astype(np.int8)
    labels = certifier.predict(q)
    labels[:2] = 1 - labels[:2]
    methods = methods_for(AUTO, certifier)
    assert methods == tuple(Method)
    found = [
        v
        for part in decide(certifier, q, labels, 6, methods, 60.0, searcher(certifier, methods))
        for v in part
    ]
    assert sorted(v.sample for v in found) == list(range(40))
    assert {v.sample for v in found if v.status is Status.WRONG} == {0, 1}
    seen = set()
    for v in found[2:]:
        if v.status is Status.WRONG:
            continue
        same = (certifier.predict(every_point(q[v.sample], 6)) == labels[v.sample]).all()
        seen.add((v.status, v.method))
        if v.status is Status.CERTIFIED:
            assert same
        if v.status is Status.BROKEN:
            assert not same
    assert {status for status, _ in seen} >= {Status.CERTIFIED, Status.BROKEN}


def test_halving_decides_what_intervals_cannot(certifier):
    q = np.random.default_rng(5).integers(-100, 100, (60, 3)).astype(np.int8)
    labels = certifier.predict(q)
    low, high = box(q, 14)
    open_ = np.flatnonzero(~certifier.bound(low, high, labels, Method.CROWN_IBP).proven)
    ends = [
        search(certifier, low[i], high[i], int(labels[i]), Method.CROWN_IBP, 30.0) for i in open_
    ]
    certified = [i for i, end in zip(open_, ends, strict=True) if end.status is Status.CERTIFIED]
    broken = [(i, end) for i, end in zip(open_, ends, strict=True) if end.status is Status.BROKEN]
    assert certified, "no box was certified by halving alone"
    for i in certified:
        assert (certifier.predict(every_point(q[i], 14)) == labels[i]).all()
    for i, end in broken:
        assert (abs(end.found.astype(int) - q[i]) <= 14).all()
        assert certifier.predict(end.found[None])[0] != labels[i]


def test_time_ends_a_search(certifier):
    q = np.random.default_rng(5).integers(-100, 100, (60, 3)).astype(np.int8)
    labels = certifier.predict(q)
    low, high = box(q, 5)
    i = int(np.flatnonzero(~certifier.bound(low, high, labels, Method.CROWN_IBP).proven)[0])
    clock = iter([0.0, 10.0])
    end = search(
        certifier, low[i], high[i], int(labels[i]), Method.CROWN_IBP, 5.0, lambda: next(clock)
    )
    assert (end.status, end.boxes) == (Status.UNDECIDED, 0)


@pytest.mark.slow
def test_cutting_clamps_decides_what_linear_bounds_cannot(certifier):
    q = np.random.default_rng(6).integers(-100, 100, (200, 3)).astype(np.int8)
    labels = certifier.predict(q)
    low, high = box(q, 9)
    bounds = certifier.bound(low, high, labels, Method.LINEAR)
    open_ = np.flatnonzero(~bounds.proven)
    cut = ClampSearch(certifier)
    seen = {status: 0 for status in Status}
    for i in open_[:12]:
        end = cut(low[i], high[i], int(labels[i]), 30.0)
        same = (certifier.predict(every_point(q[i], 9)) == labels[i]).all()
        seen[end.status] += 1
        if end.status is Status.CERTIFIED:
            assert same
            assert end.boxes > 2
        if end.status is Status.BROKEN:
            assert (abs(end.found.astype(int) - q[i]) <= 9).all()
            assert certifier.predict(end.found[None])[0] != labels[i]
    assert seen[Status.CERTIFIED]
    assert seen[Status.BROKEN]


@pytest.mark.slow
def test_time_ends_a_cut(certifier):
    q = np.random.default_rng(6).integers(-100, 100, (200, 3)).astype(np.int8)
    labels = certifier.predict(q)
    low, high = box(q, 9)
    bounds = certifier.bound(low, high, labels, Method.LINEAR)
    i = int(np.flatnonzero(~bounds.proven)[0])
    ticks = iter(range(0, 1000, 10))
    end = ClampSearch(certifier)(low[i], high[i], int(labels[i]), 0.0, lambda: next(ticks))
    assert end.status in (Status.UNDECIDED, Status.BROKEN)


@pytest.mark.parametrize(
    ("low", "high", "z", "last"),
    [
        (-128, 5, (-200.0, 5.0), -128),
        (0, 127, (0.0, 300.0), 126),
        (-128, 127, (-129.0, 300.0), 126),
        (-128, 127, (-400.0, 300.0), -128),
        (3, 8, (-400.0, 300.0), 5),
        (-128, 5, (-127.0, 5.0), -62),
    ],
)
def test_a_part_is_cut_at_the_clamp_that_is_passed_farther(low, high, z, last):
    fixed = Activations(np.array([-128], np.int32), np.array([127], np.int32), np.array([0.5]))
    ends = (np.array([v], np.int32) for v in (low, high))
    below, above = fixed.cut(Part(*ends, np.zeros(1, np.float32)), 0, z)
    assert (below.low[0], below.high[0], above.low[0], above.high[0]) == (low, last, last + 1, high)
