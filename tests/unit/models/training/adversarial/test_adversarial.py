"""Adversarial examples keep to what the adversary may; a training on them resumes bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.data.splits import Splits, dataset
from tinyrobust.models.keras.tf import keras, tf
from tinyrobust.models.training.adversarial.averages import Averages
from tinyrobust.models.training.adversarial.example import perturbed
from tinyrobust.models.training.adversarial.plan import AdversarialPlan, LinfAttack
from tinyrobust.models.training.adversarial.step import robust_accuracy
from tinyrobust.models.training.adversarial.trainer import AdversarialTrainer
from tinyrobust.models.training.certified.plan import Certified
from tinyrobust.models.training.jacobian import Penalty
from tinyrobust.models.training.trainer import Epoch, TrainingPlan

SPEC = TensorSpec((4, 4, 1), 1 / 128, 0)
SEED = np.array([3, 0], np.int32)
PLAN = AdversarialPlan(epochs=6, batch=16, rate=3e-2, seed=2, attack=LinfAttack(12))


def _model(seed=0):
    keras.utils.set_random_seed(seed)
    x = i = keras.layers.Input(SPEC.shape, name="image")
    x = keras.layers.Conv2D(4, 3, name="conv")(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.5, name="norm")(x))
    x = keras.layers.Dense(2, name="logits")(keras.layers.Flatten()(x))
    return keras.Model(i, x, name="tiny")


def _part(kind, n, seed):
    """Two classes by the sign of the left half, 25 levels from a coin's edge."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n)
    q = rng.integers(-20, 21, (n, *SPEC.shape))
    q[:, :, :2] += (labels * 50 - 25)[:, None, None, None]
    return dataset(f"halves/{kind}", q.astype(np.int8), labels)


@pytest.fixture(scope="module")
def splits():
    return Splits(*(_part(kind, n, n) for kind, n in (("t", 64), ("v", 40), ("c", 10), ("e", 30))))


def _on_levels(real):
    q = np.asarray(real) / SPEC.scale + SPEC.zero_point
    np.testing.assert_array_equal(q, np.round(q))
    return q.astype(int)


@settings(max_examples=20)
@given(
    levels=st.integers(1, 255),
    steps=st.integers(1, 3),
    size=st.sampled_from([0.1, 0.8, 1.25, 3.0]),
    zero=st.integers(-128, 127),
    seed=st.integers(0, 2**20),
)
def test_an_example_is_in_the_ball_in_the_range_and_on_levels(levels, steps, size, zero, seed):
    spec = TensorSpec((5,), 1 / 64, zero)
    rng = np.random.default_rng(seed)
    q = rng.choice([-128, -127, 0, 126, 127], (6, 5))
    kernel = tf.constant(rng.normal(size=(5, 3)).astype(np.float32))
    at = perturbed(
        lambda x: x @ kernel,
        tf.constant(spec.dequantize(q)),
        tf.constant(rng.integers(0, 3, 6)),
        LinfAttack(levels, steps, size),
        spec,
        tf.constant([seed, 0]),
    )
    found = np.asarray(at) / spec.scale + spec.zero_point
    np.testing.assert_array_equal(found, np.round(found))
    assert np.abs(found - q).max() <= levels
    assert found.min() >= -128
    assert found.max() <= 127


def test_on_a_linear_network_every_element_goes_the_way_that_raises_the_loss():
    """From a start in [-eps, eps] a step of 1.25 eps leaves no element on the other side of 0."""
    kernel = np.array([[1.0, -1.0], [-2.0, 3.0], [0.0, 0.5]], np.float32)
    spec = TensorSpec((3,), 1 / 128, 0)
    images, labels = np.zeros((500, 3), np.float32), np.zeros(500, np.int64)
    found = perturbed(
        lambda x: x @ kernel, images, labels, LinfAttack(8), spec, tf.constant([1, 2])
    )
    rising = np.sign(kernel[:, 1] - kernel[:, 0])
    moved = np.asarray(found) * 128 * rising
    assert moved.min() >= 2
    assert moved.max() == 8
    strong = perturbed(
        lambda x: x @ kernel, images, labels, LinfAttack(8, 3, 1.0), spec, tf.constant([1, 2])
    )
    assert np.all(np.asarray(strong) * 128 * rising == 8)


def test_the_random_start_is_uniform_and_its_seed_decides_it():
    flat = LinfAttack(2, size=1e-6)

    def start(seed):
        images = tf.zeros((2000, 4))
        made = perturbed(
            lambda x: x, images, tf.zeros(2000, tf.int64), flat, SPEC, tf.constant(seed)
        )
        return _on_levels(made)

    values, counts = np.unique(start([3, 4]), return_counts=True)
    assert values.tolist() == [-2, -1, 0, 1, 2]
    np.testing.assert_allclose(counts / 8000, [1 / 8, 1 / 4, 1 / 4, 1 / 4, 1 / 8], atol=0.03)
    np.testing.assert_array_equal(start([3, 4]), start([3, 4]))
    assert np.any(start([3, 4]) != start([3, 5]))


def test_no_gradient_flows_through_an_example():
    x = tf.constant([[0.25, 0.5]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        made = perturbed(lambda v: v, x, tf.constant([0]), LinfAttack(2), SPEC, tf.constant(SEED))
    assert tape.gradient(made, x) is None


def test_the_average_is_that_of_its_definition():
    model = _model()
    averages = Averages(model, decay=0.3)
    expected = model.get_layer("conv").kernel.numpy()
    for t in range(1, 5):
        model.get_layer("conv").kernel.assign_add(tf.ones_like(expected))
        averages.update(tf.constant(t))
        share = min(0.3, (1 + t) / (10 + t))
        expected = share * expected + (1 - share) * model.get_layer("conv").kernel.numpy()
    own = model.get_weights()
    with averages.in_model():
        np.testing.assert_allclose(model.get_layer("conv").kernel, expected, rtol=1e-5)
    for before, after in zip(own, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def _trained(splits, folder, plan=PLAN, until=None):
    """Trains; with ``until`` the training is lost in the epoch after so many."""
    model = _model()
    trainer = AdversarialTrainer(model, splits, SPEC, plan, folder)
    if until is not None:
        whole = trainer._epoch

        def lost(epoch):
            if epoch == until:
                raise KeyboardInterrupt
            return whole(epoch)

        trainer._epoch = lost
    said = []
    try:
        history = trainer.run(said.append)
    except KeyboardInterrupt:
        return None, None, said
    return model, history, said


@pytest.mark.slow
def test_training_lowers_the_loss_under_attack_and_an_interrupted_one_ends_with_the_same_bits(
    splits, tmp_path
):
    model, history, said = _trained(splits, tmp_path / "whole")
    assert history[-1].loss < 0.7 * history[0].loss
    assert history[-1].robust > 0.7
    assert "under PGD" in said[-1]
    _trained(splits, tmp_path / "cut", until=4)
    resumed, again, _ = _trained(splits, tmp_path / "cut")
    for a, b in zip(model.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert [(e.loss, e.accuracy, e.robust) for e in again] == [
        (e.loss, e.accuracy, e.robust) for e in history
    ]
    done, _, said = _trained(splits, tmp_path / "whole")  # a finished one is found, and its best
    assert not said
    for a, b in zip(model.get_weights(), done.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_the_most_robust_epoch_is_kept_and_a_collapse_is_told(splits, tmp_path):
    model = _model()
    trainer = AdversarialTrainer(model, splits, SPEC, replace(PLAN, epochs=3), tmp_path)
    shares = iter([0.4, 0.6, 0.1])
    kept = []

    def robust(data):
        kept.append(model.get_weights())
        return next(shares)

    trainer._robust = robust
    said = []
    history = trainer.run(said.append)
    assert [e.robust for e in history] == [0.4, 0.6, 0.1]
    for a, b in zip(model.get_weights(), kept[1], strict=True):
        np.testing.assert_array_equal(a, b)
    assert ["catastrophic" in line for line in said] == [False, False, True]
    assert said[-1].endswith("epoch 2 stays")


@pytest.mark.slow
def test_a_jacobian_penalty_goes_on_top(splits, tmp_path):
    plan = replace(PLAN, epochs=1, penalty=Penalty(strength=0.1))
    _, history, _ = _trained(splits, tmp_path, plan)
    assert history[0].penalty > 0


@pytest.mark.slow
def test_another_adversary_is_another_plan(splits, tmp_path):
    _trained(splits, tmp_path, replace(PLAN, epochs=1))
    with pytest.raises(UsageError, match="made by another plan"):
        _trained(splits, tmp_path, replace(PLAN, epochs=1, attack=LinfAttack(2)))


def test_robust_accuracy_is_the_share_right_under_the_attack():
    """A network that compares two elements: samples fall as soon as the ball reaches their gap."""
    spec = TensorSpec((2,), 1 / 128, 0)
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Activation("linear")])
    gaps = np.arange(-10, 11)
    q = np.stack([gaps, np.zeros_like(gaps)], axis=1).astype(np.int8)
    data = dataset("gaps", q, np.zeros(len(gaps), np.int64))
    judged = robust_accuracy(model, spec, LinfAttack(3, 10, 0.25))
    assert judged(data) == np.mean(gaps > 6) + np.mean(gaps == 6)  # a tie is the first class's


@pytest.mark.parametrize("bad", [{"levels": 0}, {"levels": 256}, {"steps": 0}, {"size": 0.0}])
def test_an_impossible_attack_is_refused(bad):
    with pytest.raises(ValueError, match="attack"):
        LinfAttack(**{"levels": 2, **bad})


def test_an_impossible_average_is_refused():
    with pytest.raises(ValueError, match="decay"):
        replace(PLAN, average=1.0)


def test_an_epoch_of_any_other_training_has_no_robust_accuracy():
    assert Epoch(0, 1.0, 0.0, 0.5, 100.0).robust is None


def test_an_adversary_beside_bounds_is_refused():
    with pytest.raises(ValueError, match="bounds or an adversary"):
        replace(PLAN, certified=Certified(2.0))


def test_a_plan_reads_as_its_checkpoints_have_it():
    assert repr(PLAN) == (
        "AdversarialPlan(epochs=6, batch=16, rate=0.03, restarts=(), decay=0.0, augment=False, "
        "penalty=None, seed=2, attack=LinfAttack(levels=12, steps=1, size=1.25), average=0.999)"
    )
    plain = TrainingPlan(epochs=2, batch=4, rate=0.1)
    assert repr(plain) == (
        "TrainingPlan(epochs=2, batch=4, rate=0.1, restarts=(), decay=0.0, augment=False, "
        "penalty=None, seed=0)"
    )
    assert repr(replace(plain, certified=Certified(2.0))).endswith(
        f", seed=0, certified={Certified(2.0)!r})"
    )
