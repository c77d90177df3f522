"""The committed networks: nothing that points, corners or gradients find lies outside of bounds."""

import numpy as np
import pytest

from tinyrobust.attacks.base.problem import Needs, Norm
from tinyrobust.attacks.make import UNBOUNDED, AttackRequest, make
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


def turned_outside(attack, twin, q, labels, levels, every, queries=None):
    """How many results of ``attack`` lie in the boxes; none of them outside of any bounds."""
    info = ATTACKS[attack]
    eps = UNBOUNDED if info.minimises else levels / 255 * (1 if info.norm is Norm.LINF else 8)
    source = None if info.needs is Needs.NOTHING else twin
    cell = Cell(attack, "twin" if source else "-", eps)
    made = make(AttackRequest(cell, source, q, labels, twin.input, queries=queries))
    near = (abs(made.q.astype(int) - q) <= levels).reshape(len(q), -1).all(1)
    raw = twin.predict(made.q).raw.astype(np.int64)
    for bounds in every:
        assert (bounds.scores.low <= raw)[near].all(), attack
        assert (raw <= bounds.scores.high)[near].all(), attack
        assert (raw.argmax(1) == labels)[near & bounds.proven].all(), attack
    return int(near.sum())


@pytest.mark.slow
@pytest.mark.parametrize(
    "attacks",
    [["pgd", "apgd-t"], pytest.param(GRADIENTS, marks=pytest.mark.deep)],
    ids=["two", "all"],
)
def test_gradient_attacks_find_nothing_outside(attacks, tmp_path):
    ladder, twin, certifier = opened("digits-8bit", tmp_path)
    q, labels = ladder.test.q[:8], ladder.test.labels[:8]
    every = bounds_of(certifier, q, labels, 4)
    assert every[-1].proven.any()
    for attack in attacks:
        assert turned_outside(attack, twin, q, labels, 4, every) == 8
    ladder.close()


@pytest.mark.deep
def test_no_attack_of_the_registry_finds_anything_outside(tmp_path):
    """At 8 levels, where about half of the samples are certified; those that look for the smallest
    perturbation count where what they found is in the box.
    """
    ladder, twin, certifier = opened("digits-8bit", tmp_path)
    q, labels = ladder.test.q[:8], ladder.test.labels[:8]
    every = bounds_of(certifier, q, labels, 8)
    assert 0 < every[-1].proven.sum() < 8
    inside = 0
    for attack, info in ATTACKS.items():
        asks = info.needs in (Needs.SCORES, Needs.DECISIONS)
        inside += turned_outside(attack, twin, q, labels, 8, every, 300 if asks else None)
    assert inside > 8 * len(GRADIENTS)
    ladder.close()
