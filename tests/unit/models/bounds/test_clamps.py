"""Parts of a box: bounds hold at every point of a part, and parts together are the box."""

import dataclasses
import itertools

import numpy as np
import pytest

from tests.support.networks.boxes import Answers
from tests.support.tflite.cases import Case
from tests.support.tflite.factory import Affine, Factory
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.bounds.clamps.refine import Refiner
from tinyrobust.models.bounds.lines.linear import Linear
from tinyrobust.models.keras.tf import tf

LEVELS = 12
SPEC = TensorSpec((3,), 1 / 32, 0)


def network():
    """Three inputs, two hidden layers with clamps on both sides, two classes."""
    rng = np.random.default_rng(11)
    f = Factory()
    y = x = f.input((1, 3), Affine(1 / 32))
    for size, depth in ((8, 3), (8, 8)):
        w = rng.integers(-127, 128, (size, depth), np.int8)
        y = f.fully_connected(y, w, [1 / 96], None, Affine(1 / 64, -128), "RELU")
    w = rng.integers(-127, 128, (2, 8), np.int8)
    y = f.fully_connected(y, w, [1 / 128], None, Affine(1 / 16))
    return Answers(Case("SMALL", "", SPEC, SPEC, f.build(x, y)))


def every_point(q):
    steps = itertools.product(range(-LEVELS, LEVELS + 1), repeat=3)
    return (q + np.array(list(steps))).astype(np.int8)


@pytest.mark.slow
def test_a_bound_holds_at_every_point_of_its_part():
    """What is assumed is used: bounds of parts are above that of the box, and never too high."""
    answers = network()
    linear = Linear(answers.network)
    refiner, last = Refiner(linear, queries=True), linear.operators[-1]
    c = np.array([1.0, -1.0])
    gained = 0.0
    for seed in range(6):
        q = np.random.default_rng(seed).integers(-60, 60, 3)
        x = every_point(q)
        layers = answers(x)
        z = last.ends([(tf.constant(layers[-2], tf.float64),) * 2])[0].numpy() @ c
        held = np.concatenate(layers[:-1], 1)
        low, high = (np.array([q + by], np.float64) for by in (-LEVELS, LEVELS))
        root, whole = refiner.root(low, high)
        assert (whole.low <= held).all()
        assert (held <= whole.high).all()
        parts, first = [whole], None
        for _ in range(5):
            found = refiner.refine(root, parts, c, 1e9, first is None)
            inside = [((p.low <= held) & (held <= p.high)).all(1) for p in parts]
            assert (np.sum(inside, 0) == 1).all(), "parts overlap or leave points out"
            for bound, mine in zip(found.bound, inside, strict=True):
                assert not mine.any() or bound <= z[mine].min()
            first = found.bound[0] if first is None else first
            gained = max(gained, found.bound.max() - first)
            halves = []
            for k, part in enumerate(parts):
                at = int(found.score[k].argmax())
                kept = dataclasses.replace(part, parameters=found.parameters[k])
                one = part.low[at] == part.high[at]
                halves += (
                    [kept] if one else refiner.activations.cut(kept, at, refiner.reach(root, at))
                )
            parts = halves
    assert gained > 1
