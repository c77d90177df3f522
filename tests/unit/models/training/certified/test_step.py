"""What certified training minimizes, and when its boxes grow."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.data.splits import Splits, dataset
from tinyrobust.models.keras.quantizers import signed, weights
from tinyrobust.models.keras.tf import keras, tf
from tinyrobust.models.training.certified.intervals import Reached, parameters
from tinyrobust.models.training.certified.margins import Bounds, Margins
from tinyrobust.models.training.certified.plan import Certified
from tinyrobust.models.training.certified.regularizer import balance, tightness
from tinyrobust.models.training.certified.share import certified_count
from tinyrobust.models.training.certified.start import interval_start
from tinyrobust.models.training.certified.step import box, certified_step, loss_of, toward_loss
from tinyrobust.models.training.jacobian import Penalty
from tinyrobust.models.training.trainer import Trainer, TrainingPlan

from qkeras import QActivation, QDense  # isort: skip  (after tinyrobust.models.keras.tf)

SPEC = TensorSpec((2,), 1 / 128, 0)
KERNEL = np.array([[1.0, 0.5], [0.25, -0.5]], np.float32)
BIAS = np.array([0.0, 0.125], np.float32)


def linear():
    """Two inputs to two logits: their difference is 0.5 a + 0.75 b - 0.125."""
    x = inputs = keras.layers.Input((2,))
    x = keras.layers.Dense(2, name="logits")(x)
    model = keras.Model(inputs, x, name="linear")
    model.set_weights([KERNEL, BIAS])
    return model


def hidden():
    """A hidden layer of four before two logits, the same weights every time."""
    keras.utils.set_random_seed(2)
    x = inputs = keras.layers.Input((2,))
    x = keras.layers.Dense(4, "relu", name="hidden")(x)
    return keras.Model(inputs, keras.layers.Dense(2, name="logits")(x), name="hidden")


def quantized():
    x = inputs = keras.layers.Input((2,))
    x = QDense(2, kernel_quantizer=weights(4)(), name="logits")(x)
    model = keras.Model(inputs, QActivation(signed(4), name="grid")(x), name="on_grid")
    model.set_weights([KERNEL, BIAS])
    return model


def of(model, width: float, label: int = 0):
    x = np.array([[0.5, 0.5]], np.float32)
    return Margins(model)(x - width, x + width, x, np.array([label]))


def test_margins_are_those_of_the_differences() -> None:
    # At (0.5, 0.5): 0.25 + 0.375 - 0.125 = 0.5; each 0.25 to a side takes 0.25 * (0.5 + 0.75).
    # Single logits would leave 0.625 - 0.25 * 1.25 against 0.125 + 0.25 * 1.0: nothing.
    bounds = of(linear(), 0.25)
    np.testing.assert_allclose(bounds.margins, [[0.0, 0.5 - 0.3125]], atol=1e-6)
    np.testing.assert_allclose(of(linear(), 0.25, 1).margins, [[-0.5 - 0.3125, 0.0]], atol=1e-6)
    assert bounds.certified.numpy().tolist() == [True]
    assert of(linear(), 0.5).certified.numpy().tolist() == [False]
    tie = Bounds(tf.constant([[0.0, 0.0]]), bounds.logits, ())
    assert tie.certified.numpy().tolist() == [False]


def test_a_grid_of_logits_costs_one_level() -> None:
    model = quantized()
    assert Margins(model).level == 0.125
    kernel, bias = (p.numpy() for p in parameters(model.get_layer("logits")))
    difference = kernel[:, 0] - kernel[:, 1]
    least = 0.5 * difference.sum() + bias[0] - bias[1] - 0.25 * np.abs(difference).sum()
    np.testing.assert_allclose(of(model, 0.25).margins, [[0.0, least - 0.125]], atol=1e-6)
    np.testing.assert_allclose(of(model, 0.0).logits, model(np.array([[0.5, 0.5]])), atol=1e-6)


def test_the_loss_of_a_case_done_by_hand() -> None:
    bounds = of(linear(), 0.25)
    clean, worst = math.log(1 + math.exp(-0.5)), math.log(1 + math.exp(-0.1875))
    labels = np.array([0])
    assert float(loss_of(bounds, labels, 0.25)) == pytest.approx(0.25 * clean + 0.75 * worst)
    assert float(loss_of(bounds, labels, 0.0)) == pytest.approx(worst)


def test_boxes_stay_on_the_lattice() -> None:
    low, high = box(tf.constant([[-1.0, 0.5, 127 / 128]]), 4.0, SPEC)
    np.testing.assert_array_equal(low, [[-1.0, 0.5 - 4 / 128, 123 / 128]])
    np.testing.assert_array_equal(high, [[-1 + 4 / 128, 0.5 + 4 / 128, 127 / 128]])


def test_boxes_grow_after_the_warm_up() -> None:
    plan = Certified(8.0, warm_up=2, ramp=4)
    assert [float(plan.share(e)) for e in (0.0, 2.0, 3.0, 5.0, 6.0, 9.0)] == [
        0,
        0,
        0.25,
        0.75,
        1,
        1,
    ]
    at_once = Certified(8.0, warm_up=1)
    assert [float(at_once.share(e)) for e in (0.5, 1.0)] == [0, 1]


@pytest.mark.parametrize(
    "bad", [{"levels": 0}, {"ramp": -1}, {"clean": 1.5}, {"l1": -1.0}, {"part": 0.0}]
)
def test_a_plan_that_makes_no_sense(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="certified training takes"):
        replace(Certified(1.0), **bad)
    with pytest.raises(ValueError, match="bounds or a Jacobian penalty"):
        TrainingPlan(1, 1, 0.1, penalty=Penalty(1.0), certified=Certified(1.0))


def reached(low: list[float], high: list[float]) -> Reached:
    return Reached(tf.constant([low]), tf.constant([high]), tf.constant([low]))


def test_the_regularizers_by_hand() -> None:
    start = reached([0.0, 0.0], [1.0, 1.0])  # mean radius 0.5
    wide = reached([-2.0, 0.0], [2.0, 4.0])  # mean radius 2: a quarter, half of the tolerance
    assert float(tightness([start, wide])) == pytest.approx(0.5)
    assert float(tightness([start, start])) == 0.0
    assert float(tightness([start, start, wide])) == pytest.approx(0.25)
    assert float(balance([start, wide])) == 0.0  # nothing is inactive for certain
    # Centers 8 (active) and -1 (inactive), mean 3.5: means 1 to 8, variances equal.
    uneven = reached([7.0, -1.5], [9.0, -0.5])
    assert float(balance([start, uneven])) == pytest.approx((0.5 - 1 / 8) / 0.5)


def test_the_start_keeps_boxes_as_wide() -> None:
    keras.utils.set_random_seed(1)
    x = inputs = keras.layers.Input((400,))
    x = keras.layers.ReLU()(keras.layers.Dense(400)(x))
    model = keras.Model(inputs, keras.layers.Dense(400)(x), name="wide")
    interval_start(model)
    points = np.random.default_rng(0).normal(size=(4, 400)).astype(np.float32)
    first, second = Margins(model)(points - 1, points + 1, points, np.zeros(4, np.int64)).sums
    assert float(tf.reduce_mean(second.radius)) == pytest.approx(2.0, rel=0.05)
    assert float(tf.reduce_mean(first.radius)) == 1.0
    assert all(not layer.bias.numpy().any() for layer in model.layers if hasattr(layer, "bias"))


def blobs(n: int = 64) -> Splits:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 2, n)
    q = (rng.integers(-20, 20, (n, 2)) + np.where(labels, -60, 60)[:, None]).astype(np.int8)
    part = dataset("blobs", q, labels)
    return Splits(part, part, part, part)


def test_training_certifies_and_resumes_where_it_stopped(tmp_path: Path) -> None:
    plan = TrainingPlan(
        6, 8, 0.05, seed=3, certified=Certified(16.0, warm_up=1, ramp=2, regularizer=0.5, l1=1e-4)
    )
    splits = blobs()

    def run(folder: Path, plan: TrainingPlan, model):
        folder.mkdir(exist_ok=True)
        return Trainer(model, splits, SPEC, plan, folder).run(lambda _: None)

    whole = hidden()
    history = run(tmp_path / "whole", plan, whole)
    assert certified_count(whole, splits.test, SPEC, 16) == 64
    assert certified_count(whole, splits.test, SPEC, 127) < 64
    assert history[0].penalty > 0
    assert history[-1].certified == 1.0

    class InterruptedHereError(Exception):
        pass

    def stop(line: str) -> None:
        if "epoch 3/" in line:
            raise InterruptedHereError

    (tmp_path / "cut").mkdir()
    with pytest.raises(InterruptedHereError):
        Trainer(hidden(), splits, SPEC, plan, tmp_path / "cut").run(stop)
    resumed = hidden()
    resumed.set_weights([w * 0 for w in resumed.get_weights()])
    again = run(tmp_path / "cut", plan, resumed)
    assert [e.loss for e in again] == pytest.approx([e.loss for e in history], rel=1e-5)
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    with pytest.raises(UsageError, match="another plan"):
        run(tmp_path / "cut", replace(plan, certified=Certified(8.0)), hidden())


def test_a_step_up_the_loss_stays_in_its_box_and_on_the_lattice() -> None:
    images = np.array([[0.5, 0.5], [-1.0, 127 / 128]], np.float32)
    moved = toward_loss(linear(), tf.constant(images), np.array([0, 1]), 2.0, SPEC)
    # Label 0 leads by 0.5 a + 0.75 b: down with both; label 1: up, as far as the lattice goes.
    step = 2 / 128
    np.testing.assert_array_equal(moved, [[0.5 - step, 0.5 - step], [-1.0 + step, 127 / 128]])


def test_a_part_of_a_box_is_bounded_where_the_loss_is_larger() -> None:
    """One update of a quarter of a box is one of the small box around the moved point."""
    images, labels = tf.constant([[0.5, 0.5]]), tf.constant([0])

    def loss_at(images, certified: Certified) -> float:
        model = linear()
        optimizer = keras.optimizers.SGD(0.0)
        optimizer.build(model.trainable_variables)
        loss, _ = certified_step(model, optimizer, certified, SPEC, 1)(images, labels)
        return float(loss)

    small = loss_at(images, Certified(8.0, clean=0.0, part=0.25))
    moved = images - 6 / 128
    assert small == pytest.approx(loss_at(moved, Certified(2.0, clean=0.0)))
    # The loss of a linear network is as large at the corner of the small box as of the large one.
    assert small == pytest.approx(loss_at(images, Certified(8.0, clean=0.0)))
    assert small > loss_at(images, Certified(2.0, clean=0.0))
