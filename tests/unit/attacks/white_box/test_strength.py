"""What a reviewer would try against these attacks: each finding as a test of its own."""

import dataclasses
from math import inf

import numpy as np
import pytest

from tests.support.networks import victim
from tests.support.networks.victim import SPEC, Net, right
from tinyrobust.attacks.base.input_grid import change, round_nearest, size
from tinyrobust.attacks.base.problem import Lattice, Needs, Norm, Problem
from tinyrobust.attacks.base.smallest import smallest
from tinyrobust.attacks.gradients.graphs import clean, graph
from tinyrobust.attacks.gradients.losses import SATURATED, cross_entropy, lead, unsaturated
from tinyrobust.attacks.gradients.targets import likeliest
from tinyrobust.attacks.make import AttackRequest, make
from tinyrobust.attacks.registry import ATTACKS
from tinyrobust.attacks.white_box import autoattack, ead, jsma
from tinyrobust.core.cells import Cell, FlagKind
from tinyrobust.core.types import Prediction, TensorSpec
from tinyrobust.models.keras.tf import tf

EPS = 36 / 255
SURE = 1e4
"""Gain at which the cross-entropy of every sample is flat in float32."""


def made(name, source, eps=EPS, **how):
    q, labels = victim.samples()
    return make(AttackRequest(Cell(name, "float32", eps), source, q, labels, SPEC, **how))


@pytest.mark.parametrize("name", ["fgsm", "pgd", "apgd-ce"])
def test_a_saturated_cross_entropy_stops_no_attack(name):
    plain, sure = made(name, Net()), made(name, Net(gain=SURE))
    assert right(Net(), plain.q).mean() < 0.9
    assert right(Net(), sure.q).mean() <= right(Net(), plain.q).mean() + 0.05
    assert FlagKind.MASKED_GRADIENTS not in {flag.kind for flag in sure.flags}


def test_the_loss_changes_where_the_cross_entropy_is_flat_and_nowhere_else():
    logits = tf.constant([[40.0, 0, 1], [2.0, 1, 0], [0.0, 50, 0]])
    labels = tf.zeros(3, tf.int64)
    entropy, climbed = (loss(logits, labels, labels) for loss in (cross_entropy, unsaturated))
    assert np.asarray(entropy)[0] <= SATURATED
    assert np.asarray(climbed)[0] == np.asarray(lead(logits, labels, labels))[0] == -39
    assert np.array_equal(np.asarray(climbed)[1:], np.asarray(entropy)[1:])


def test_an_attack_of_every_row_by_gradients_names_its_loss():
    for row in ATTACKS.values():
        assert (row.loss is not None) == (row.needs is Needs.GRADIENTS), row.name


@pytest.mark.parametrize("name", [name for name, row in ATTACKS.items() if row.minimises])
def test_gradients_that_minimise_are_rounded_inside_their_loop(name):
    row = ATTACKS[name]
    inside = row.needs is Needs.GRADIENTS and row.norm is not Norm.L0
    assert row.lattice is (Lattice.INNER if inside else Lattice.AFTER)


class Plane:
    """A linear network of two classes on an image of 3,072 elements, a hair from the boundary.

    Every element has to move by a small part of a level.
    """

    rung = "float32"
    input = TensorSpec((32, 32, 3), 1 / 255, -128)

    def __init__(self, margin=0.05):
        self.weights = np.random.default_rng(0).standard_normal((3072, 1)).astype(np.float32)
        self.weights /= np.linalg.norm(self.weights)
        self.margin = margin

    def logits(self, real):
        score = tf.reshape(real - 0.5, (-1, 3072)) @ self.weights - self.margin
        return tf.concat([tf.zeros_like(score), score], 1)

    def predict(self, q):
        return Prediction(np.asarray(self.logits(self.input.dequantize(q))))


def plane():
    """Grey images with noise, all of class 0 by about the margin."""
    rng, net = np.random.default_rng(1), Plane()
    q = rng.integers(-20, 20, (12, 32, 32, 3)).astype(np.int8)
    score = np.asarray(net.logits(net.input.dequantize(q)))[:, 1]
    away = ((score + net.margin)[:, None] * net.weights.T).reshape(q.shape) * 255
    return np.rint(q - away).astype(np.int8), np.zeros(12, np.int64), net


@pytest.mark.parametrize("name", ["ddn", pytest.param("fab-l2", marks=pytest.mark.slow)])
def test_distances_are_no_artefact_of_rounding(name):
    """One level in each of 3,072 elements is an L2 of 0.217: more than four times the distance."""
    q, labels, net = plane()
    sizes = {}
    for lattice in (None, Lattice.AFTER):
        cell = Cell(name, "float32", 1.0)
        found = make(AttackRequest(cell, net, q, labels, net.input, lattice))
        assert (net.predict(found.q).logits.argmax(axis=1) != labels).all()
        sizes[lattice] = np.median(found.l2)
    assert sizes[None] <= sizes[Lattice.AFTER] + 1e-6
    assert sizes[None] < 0.15


def test_random_roundings_are_among_the_candidates():
    q, labels, net = plane()
    problem = Problem(q, labels, net.input, Norm.L2, inf, 255, 0, net)
    score = np.asarray(net.logits(problem.real))[:, 1]
    moved = (0.004 - score)[:, None] * net.weights.T
    real = (problem.real + moved.reshape(q.shape)).astype(np.float32)
    chosen, lost = smallest(problem, real)
    assert lost == 0
    assert np.array_equal(chosen, smallest(problem, real)[0]), "seeded"
    assert (net.predict(chosen).logits.argmax(axis=1) != labels).all()
    assert np.median(size(change(q, chosen), Norm.L2)) < 0.16


@pytest.fixture
def problem():
    q, labels = (part[:24] for part in victim.samples())
    return Problem(q, labels, SPEC, Norm.L0, inf, 255, 3, Net())


def elements(problem, real):
    """Changed, [n]; infinite where it does not fool."""
    q = round_nearest(problem.q, real, SPEC, 255)
    fooled = Net().predict(q).logits.argmax(axis=1) != problem.labels
    return np.where(fooled, size(change(problem.q, q), Norm.L0), inf)


def test_jsma_keeps_the_fewest_elements_over_all_targets(problem):
    everything = elements(problem, jsma.jsma(problem, gamma=1.0))
    single = []
    for rank in range(2):
        source, x = graph(problem), clean(problem)
        target = likeliest(problem)[rank]
        most = np.full(len(x), SPEC.size, np.int32)
        raised = jsma._raise(source, x, problem.labels, target, 1.0, most)
        single.append(elements(problem, SPEC.low + raised * problem.span))
    least = np.minimum(*single)
    assert np.any(least < single[0]), "else the first target would do"
    assert np.array_equal(everything[least > 0], least[least > 0])


@pytest.mark.slow
def test_ead_selects_by_the_rule_in_its_name(problem):
    given = dataclasses.replace(problem, norm=Norm.L1)
    few = {"searches": 5, "steps": 60}
    net, least = (
        np.abs(ead.ead(given, rule, **few) - given.real).reshape(24, -1).sum(axis=1)
        for rule in (ead.elastic_net, ead.least_sum)
    )
    assert np.median(least) < np.median(net)


@pytest.mark.slow
def test_autoattack_says_what_each_part_left(monkeypatch):
    monkeypatch.setattr(autoattack.square, "published", lambda problem: problem.real)
    found = made("autoattack", Net())
    left = int(right(Net(), found.q).sum())
    said = found.notes[0]
    assert said.startswith("still right of 200 samples: ")
    parts = [part.split(" after ") for part in said.split(": ")[1].split(", ")]
    assert [name for _, name in parts] == ["apgd-ce", "apgd-t", "fab-t", "square"]
    counts = [int(count) for count, _ in parts]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == left


@pytest.mark.slow
def test_autoattacks_parts_can_be_called_alone():
    whole = {name: right(Net(), made(name, Net()).q) for name in ("apgd-t", "fab-t")}
    assert all(share.mean() < 0.9 for share in whole.values())


class Two(Net):
    """The network's first two classes."""

    def logits(self, real):
        return super().logits(real)[:, :2]

    def predict(self, q):
        return Prediction(super().predict(q).logits[:, :2])


@pytest.mark.slow
def test_auto_pgd_towards_classes_takes_the_margin_where_there_are_two():
    q, labels = victim.samples()
    few = labels < 2
    found = make(AttackRequest(Cell("apgd-t", "float32", EPS), Two(), q[few], labels[few], SPEC))
    assert not found.failed.any()
    assert np.mean(Two().predict(found.q).logits.argmax(axis=1) == labels[few]) < 0.9
