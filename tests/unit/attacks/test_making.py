"""From an attack's real result to bytes: budgets, rounding that keeps fooling, kept batches."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.support.networks.victim import SPEC, Asked, Net, right, samples
from tinyrobust.attacks.base.input_grid import (
    change,
    round_inward,
    round_nearest,
    round_outward,
    size,
)
from tinyrobust.attacks.base.problem import Lattice, Needs, Norm
from tinyrobust.attacks.base.straight_through import rounding
from tinyrobust.attacks.batches import BATCH, attack
from tinyrobust.attacks.make import AttackRequest, make, prepare, run
from tinyrobust.attacks.registry import ATTACKS, find
from tinyrobust.core.cells import Cell
from tinyrobust.core.errors import LinkError

PLANTED = Cell("planted", "float32", 1.0)


@pytest.fixture
def planted(monkeypatch):
    def plant(function, **changes):
        row = dataclasses.replace(find("pgd"), name="planted", function=function, **changes)
        monkeypatch.setitem(ATTACKS, "planted", row)
        return row

    return plant


def across(problem):
    """Along the gradient's sign just as far as the source needs.

    By bisection to 1/64 of a level.
    """
    full = find("fgsm").function(dataclasses.replace(problem, eps=0.5, levels=255)) - problem.real
    near, far = (
        np.zeros((len(full), 1, 1, 1), np.float32),
        np.ones((len(full), 1, 1, 1), np.float32),
    )
    for _ in range(12):
        middle = (near + far) / 2
        kept = (
            np.asarray(problem.source.logits(problem.real + middle * full)).argmax(axis=1)
            == problem.labels
        )
        kept = kept.reshape(middle.shape)
        near, far = np.where(kept, middle, near), np.where(kept, far, middle)
    return problem.real + far * full


@pytest.mark.parametrize("norm", [Norm.L2, Norm.LINF])
def test_rounding_keeps_fooling_and_picks_the_smallest(planted, norm):
    planted(across, minimises=True, norm=norm)
    q, labels = samples()
    made = make(AttackRequest(PLANTED, Net(), q, labels, SPEC))
    problem = prepare(AttackRequest(PLANTED, Net(), q, labels, SPEC, Lattice.AFTER)).problem
    real = across(problem)
    fooled = ~right(Net(), made.q)
    assert fooled.mean() > 0.9
    assert not fooled[np.asarray(Net().logits(real)).argmax(axis=1) == labels].any()
    inward = round_inward(q, real, SPEC, 255)
    assert right(Net(), inward).mean() > 0.3, "rounding towards the clean input alone loses many"
    for function in (round_inward, round_nearest, round_outward):
        other = function(q, real, SPEC, 255)
        both = fooled & ~right(Net(), other)
        assert np.all(size(change(q, made.q), norm)[both] <= size(change(q, other), norm)[both])


def test_what_rounding_loses_is_counted(planted):
    def needle(problem):
        """Fools only between two grid points."""
        return problem.real + np.float32(0.5 * SPEC.scale)

    planted(needle, minimises=True)

    class Needle(Net):
        def logits(self, real):
            tf = pytest.importorskip("tinyrobust.models.keras.tf").tf
            steps = real / SPEC.scale
            between = tf.reduce_mean(tf.abs(steps - tf.round(steps)), (1, 2, 3))
            shift = tf.where(between > 0.4, 1e4, 0.0)
            return tf.roll(self.model(real), 1, 1) * shift[:, None] + self.model(real)

    q, labels = samples()
    made = make(
        AttackRequest(PLANTED, Needle(), np.clip(q, -120, 120).astype(np.int8), labels, SPEC)
    )
    assert made.notes[0].endswith("of 200 samples fooled the source until they were rounded")


def test_lattice_points_are_taken_as_they_are_and_ask_nothing(planted):
    planted(lambda problem: problem.real, minimises=True, needs=Needs.DECISIONS)
    source = Asked()
    make(AttackRequest(Cell("planted", "native", 1.0), source, *samples(), SPEC))
    assert source.asked == 0


@given(
    hnp.arrays(np.int8, (3, 4)),
    hnp.arrays(np.float32, (3, 4), elements=st.floats(-300, 300, width=32)),
)
def test_roundings_bracket_the_result(clean, move):
    spec = dataclasses.replace(SPEC, shape=(4,))
    real = np.clip(spec.dequantize(clean) + move * np.float32(spec.scale), spec.low, spec.high)
    lengths = [
        np.abs(change(clean, f(clean, real, spec, 255)))
        for f in (round_inward, round_nearest, round_outward)
    ]
    assert np.all(lengths[0] <= lengths[1])
    assert np.all(lengths[1] <= lengths[2])
    assert np.all(lengths[2] - lengths[0] <= 1)


def test_sizes_are_multiples_of_the_range():
    moved = np.array([[255.0, 0, 0, 0], [51, 51, 51, 51]])
    assert size(moved, Norm.LINF).tolist() == [1.0, 0.2]
    assert size(moved, Norm.L2).tolist() == [1.0, 0.4]
    assert size(moved, Norm.L1).tolist() == [1.0, 0.8]
    assert size(moved, Norm.L0).tolist() == [1, 4]


def test_an_l2_budget_is_kept_whatever_the_attack_returns(planted):
    planted(lambda problem: problem.real + 3 * np.sign(problem.real), norm=Norm.L2)
    q, labels = samples()
    made = make(AttackRequest(dataclasses.replace(PLANTED, eps=0.5), Net(), q, labels, SPEC))
    assert made.l2.max() <= 0.5
    assert made.l2.min() > 0.3
    assert made.unsnapped.min() > 5, "what the attack asked for is on record"
    assert made.levels == 255


def test_both_eps_are_stored(planted):
    planted(lambda problem: problem.real + problem.eps)
    q, labels = samples()
    made = make(
        AttackRequest(
            dataclasses.replace(PLANTED, eps=0.03), Net(), np.clip(q, -100, 100), labels, SPEC
        )
    )
    assert (made.levels, made.linf.max()) == (7, 7)
    assert made.unsnapped == pytest.approx(0.03, rel=1e-3)


def test_every_element_goes_to_the_nearest_level_of_an_linf_budget(planted):
    steps = np.linspace(-1.6, 1.6, SPEC.size).reshape(SPEC.shape).astype(np.float32)
    planted(lambda problem: problem.real + steps * np.float32(SPEC.scale))
    q, labels = samples()
    q = np.clip(q, -100, 100)
    made = make(AttackRequest(dataclasses.replace(PLANTED, eps=1.6 / 255), Net(), q, labels, SPEC))
    assert np.array_equal(change(q, made.q)[0], np.clip(np.rint(steps), -1, 1))


def test_inner_asks_only_about_lattice_points():
    tf = pytest.importorskip("tinyrobust.models.keras.tf").tf
    real = tf.constant(SPEC.dequantize(samples()[0][:5]) + 0.4 * SPEC.scale)
    source = Net()
    inside = rounding(source)
    assert np.allclose(inside.logits(real), source.predict(samples()[0][:5]).logits, atol=1e-4)
    with tf.GradientTape() as tape:
        tape.watch(real)
        value = tf.reduce_sum(inside.logits(real))
    assert np.any(tape.gradient(value, real))
    assert rounding(source) is inside


@pytest.mark.parametrize("name", ["fgsm", "pgd"])
def test_inner_spends_whole_levels_and_keeps_what_was_optimised(name):
    q, labels = samples()
    made = make(
        AttackRequest(Cell(name, "float32", 3.7 / 255), Net(), q, labels, SPEC, Lattice.INNER)
    )
    assert (made.levels, made.linf.max()) == (3, 3)
    assert made.unsnapped.max() <= 3.001 / 255


class Shelf(dict):
    """Kept batches in memory."""

    def read(self, index):
        return self.get(index)

    def write(self, index, batch):
        self[index] = batch


def test_an_interrupted_attack_loses_one_batch(planted):
    calls = []

    def dies_at_the_second(problem):
        calls.append(len(problem.q))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return problem.real + problem.eps

    planted(dies_at_the_second)
    cell, shelf = dataclasses.replace(PLANTED, eps=0.1), Shelf()
    prepared = prepare(AttackRequest(cell, Net(), *samples(), SPEC, Lattice.AFTER))
    with pytest.raises(KeyboardInterrupt):
        run(prepared, shelf)
    assert list(shelf) == [0]
    steps = []
    made = run(prepared, shelf, lambda done, total: steps.append((done, total)))
    assert calls == [BATCH, 200 - BATCH, 200 - BATCH]
    assert steps == [(128, 200), (200, 200)]
    assert np.array_equal(made.q, run(prepared).q)


def test_a_budget_of_questions_is_for_attacks_that_ask():
    """AutoAttack's own Square asks the source whose gradients it has, as often as published."""
    for name, source, queries in (("autoattack", Net(), None), ("square-linf", Asked(), 5)):
        cell = Cell(name, source.rung, 0.1)
        assert (
            prepare(AttackRequest(cell, source, *samples(), SPEC, Lattice.AFTER, 5)).problem.queries
            == queries
        )


def test_a_lost_board_is_no_failure_of_the_attack(planted):
    def gone(problem):
        raise LinkError("gone")

    info = planted(gone)
    with pytest.raises(LinkError):
        attack(
            info, prepare(AttackRequest(PLANTED, Net(), *samples(), SPEC, Lattice.AFTER)).problem
        )
