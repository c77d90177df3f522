"""The committed networks: nothing that points, corners or gradients find lies outside of bounds."""

import numpy as np
import pytest

from tinyrobust.attacks.base.problem import Needs, Norm
from tinyrobust.attacks.make import AttackRequest, make
from tinyrobust.attacks.registry import ATTACKS
from tinyrobust.core.cells import Cell
from tinyrobust.models.bounds.certifier import Certifier, Method
from tinyrobust.models.bounds.verdicts import box
from tinyrobust.models.zoo.catalog import open_model

NETWORKS = ["digits-8bit", "digits-8bit-jr", "digits-4bit-jr", "digits-ternary-jr"]
GRADIENTS = [
    info.name
    for info in ATTACKS.values()
    if info.needs is Needs.GRADIENTS and info.norm is Norm.LINF and not info.minimises
]


def opened(name, tmp_path):
    ladder = open_model(name, tmp_path, lambda line: None)
    bundle = ladder.bundle
    twin = next(rung for rung in ladder.rungs if rung.rung == "twin")
    return ladder, twin, Certifier(bundle.plan, bundle.input, bundle.grid)


def bounds_of(certifier, q, labels, levels):
    return [certifier.bound(*box(q, levels), labels, method) for method in Method]


def inside(every, raw):
    for bounds in every:
        assert (bounds.scores.low <= raw).all()
        assert (raw <= bounds.scores.high).all()


def random_points(q, levels, rng):
    low, high = (end.astype(np.int16) for end in box(q, levels))
    if rng.random() < 0.5:
        return rng.integers(low, high + 1).astype(np.int8)
    return np.where(rng.random(q.shape) < 0.5, low, high).astype(np.int8)


@pytest.mark.deep
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("levels", [1, 4])
def test_a_million_points(name, levels, tmp_path):
    """125,000 for each network and box: 10**6 in all."""
    ladder, twin, certifier = opened(name, tmp_path)
    q, labels = ladder.test.q[:50], ladder.test.labels[:50]
    every = bounds_of(certifier, q, labels, levels)
    rng = np.random.default_rng(levels)
    for _ in range(2500):
        raw = twin.predict(random_points(q, levels, rng)).raw.astype(np.int64)
        inside(every, raw)
        for bounds in every:
            assert (raw.argmax(1) == labels)[bounds.proven].all()
    ladder.close()


@pytest.mark.slow
def test_gradient_attacks_find_nothing_outside(tmp_path):
    attacked(("fgsm", "pgd", "apgd-ce", "apgd-t"), tmp_path)


@pytest.mark.deep
def test_all_gradient_attacks_find_nothing_outside(tmp_path):
    attacked(GRADIENTS, tmp_path)


def attacked(attacks, tmp_path):
    assert set(attacks) <= set(GRADIENTS)
    ladder, twin, certifier = opened("digits-8bit", tmp_path)
    q, labels = ladder.test.q[:8], ladder.test.labels[:8]
    every = bounds_of(certifier, q, labels, 4)
    assert every[-1].proven.any()
    for attack in attacks:
        request = AttackRequest(Cell(attack, "twin", 4 / 255), twin, q, labels, twin.input)
        made = make(request)
        assert (abs(made.q.astype(int) - q) <= 4).all()
        raw = twin.predict(made.q).raw.astype(np.int64)
        inside(every, raw)
        assert (raw.argmax(1) == labels)[every[-1].proven].all()
    ladder.close()
