"""Auto-PGD against algorithm 1 of Croce and Hein 2020, on a hill with terraces.

The algorithm is written out sample by sample.
"""

import numpy as np
import pytest

from tinyrobust.attacks.base.problem import Norm, Problem
from tinyrobust.attacks.white_box.apgd import ascend, periods
from tinyrobust.core.types import Prediction, TensorSpec
from tinyrobust.models.keras.tf import tf

SPEC = TensorSpec((1, 1, 2), 1 / 255, -128)
"""Pixels, logits and real units are the same numbers."""
EPS = 0.25
TERRACES = 24
"""To each unit of the loss: steps across one terrace neither raise the loss nor lower it."""


class Same:
    """A network whose logits are its input."""

    rung = "float32"
    input = SPEC

    def logits(self, real):
        return tf.reshape(real, (-1, 2))

    def predict(self, q):
        return Prediction(SPEC.dequantize(q).reshape(-1, 2))


def summits(labels):
    """A place inside most balls for each sample.

    Steps overshoot it, and the step has to be halved.
    """
    return np.random.default_rng(1).uniform(0.2, 0.8, (len(labels), 2)).astype(np.float32)


def hill(labels):
    """The loss: minus the distance to the summit in whole terraces.

    Its gradient is the distance's own.
    """
    summit = tf.constant(summits(labels))

    def loss(logits, labels, targets):
        distance = tf.reduce_sum(tf.abs(logits - summit), 1)
        return tf.stop_gradient(tf.floor(-distance * TERRACES)) - (
            distance - tf.stop_gradient(distance)
        )

    return loss


def by_the_paper(x, begin, summit, label, checkpoints):
    """Algorithm 1 on one sample; the best point by (fools, loss), the earliest of equals."""
    f32 = np.float32

    def looked_at(point):
        loss = np.floor(-(np.abs(point - summit).sum()) * f32(TERRACES))
        seen.append(((point.argmax() != label, loss), -len(seen), point))
        return loss, np.sign(summit - point)

    def inside(point):
        return np.clip(np.clip(point, x - f32(EPS), x + f32(EPS)), 0, 1)

    seen, step = [], f32(2 * EPS)
    before = at = best = begin
    loss, slope = best_loss, best_slope = checked_loss, _ = looked_at(begin)
    rises, last, halved = 0, 0, False
    for k in range(1, checkpoints[-1] + 1):
        ahead = inside(at + step * slope)
        moved = (
            ahead if k == 1 else inside(at + f32(0.75) * (ahead - at) + f32(0.25) * (at - before))
        )
        before, at, previous = at, moved, loss
        loss, slope = looked_at(at)
        rises += loss > previous
        if loss > best_loss:
            best, best_loss, best_slope = at, loss, slope
        if k in checkpoints:
            halved = bool(rises <= 0.75 * (k - last) or (not halved and checked_loss == best_loss))
            if halved:
                step, at, loss, slope = step / 2, best, best_loss, best_slope
            rises, last, checked_loss = 0, k, best_loss
    return max(seen, key=lambda point: point[:2])[2]


def test_the_best_point_of_every_sample_is_that_of_the_published_algorithm():
    rng = np.random.default_rng(0)
    q, labels = rng.integers(-128, 128, (300, *SPEC.shape), np.int8), rng.integers(0, 2, 300)
    problem = Problem(
        q, labels, SPEC, Norm.LINF, EPS * (SPEC.high - SPEC.low), int(EPS * 255), 5, Same()
    )
    found = ascend(problem, hill(labels), labels, start=0, steps=20).reshape(-1, 2)
    x = (q.astype(np.float32).reshape(-1, 2) + 128) / np.float32(255)
    away = np.random.default_rng([5, 0]).uniform(-EPS, EPS, q.shape).reshape(-1, 2)
    begin = np.clip(x + away, 0, 1).astype(np.float32)
    checkpoints = [4, 7, *range(9, 21)]
    expected = [
        by_the_paper(*one, checkpoints)
        for one in zip(x, begin, summits(labels), labels, strict=True)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_checkpoints_of_a_hundred_steps_are_the_published_ones():
    due = periods(100)
    assert (np.flatnonzero(due) + 1).tolist() == [22, 41, 57, 70, 80, 87, 93, 99]
    assert due[due > 0].tolist() == [22, 19, 16, 13, 10, 7, 6, 6]


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_few_steps_have_a_checkpoint_after_each(steps):
    assert periods(steps).tolist() == [1] * steps
