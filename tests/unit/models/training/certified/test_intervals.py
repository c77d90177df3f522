"""Boxes through Keras layers hold every point of theirs."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyrobust.core.errors import UsageError
from tinyrobust.models.keras.quantizers import W4, W8, activation, weights
from tinyrobust.models.keras.tf import keras, tf
from tinyrobust.models.networks import digits_deep
from tinyrobust.models.networks.cnn_a import EIGHT, CnnA
from tinyrobust.models.training.certified.intervals import Reached, chain_of, step
from tinyrobust.models.training.certified.margins import Margins

from qkeras import QActivation, QDense  # isort: skip  (after tinyrobust.models.keras.tf)

SMALL = CnnA("small", (8, 8, 1), 4, ranges=(1, 1, 1), logits=3)
BUILDS = {
    "float": SMALL.build_float,
    "8 bits": functools.partial(SMALL.build_qat, EIGHT),
    "digits, 4 bits": functools.partial(digits_deep.build_qat, W4),
}
"""Strides and padding; quantizers; an average pool on a grid of its own."""


@functools.cache
def network(name: str):
    keras.utils.set_random_seed(7)
    model = BUILDS[name]()
    for layer in model.layers:
        if hasattr(layer, "bias"):
            layer.bias.assign(tf.random.uniform(layer.bias.shape, -0.5, 0.5))
    margins = Margins(model)

    @tf.function
    def bounded(low, high, points, labels):
        bounds = margins(low, high, points, labels)
        return bounds.margins, bounds.certified, bounds.logits

    return model, bounded, tf.function(model)


@pytest.mark.parametrize(
    "name",
    [name if name == "float" else pytest.param(name, marks=pytest.mark.slow) for name in BUILDS],
)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), width=st.sampled_from([0.0, 1 / 128, 4 / 128, 0.5]))
def test_no_point_of_a_box_is_nearer_than_its_margins(name: str, seed: int, width: float) -> None:
    model, margins, answer = network(name)
    rng = np.random.default_rng(seed)
    center = rng.uniform(-1, 1, (2, 8, 8, 1)).astype(np.float32)
    low, high = np.maximum(center - width, -1), np.minimum(center + width, 1)
    labels = rng.integers(0, model.output_shape[-1], 2)
    least, certified, _ = margins(low, high, center, labels)
    inside = rng.uniform(size=(20, *low.shape))
    shares = np.concatenate([inside, rng.integers(0, 2, inside.shape)])
    points = (low + shares * (high - low)).astype(np.float32)
    logits = answer(points.reshape(-1, 8, 8, 1)).numpy().reshape(40, 2, -1)
    ahead = logits[:, np.arange(2), labels][..., None] - logits
    assert (ahead >= least.numpy() - 1e-4).all()
    assert not (certified.numpy() & (logits.argmax(2) != labels)).any()


@pytest.mark.slow
def test_the_points_logits_are_the_networks() -> None:
    for name in BUILDS:
        _, margins, answer = network(name)
        x = np.random.default_rng(3).uniform(-1, 1, (5, 8, 8, 1)).astype(np.float32)
        _, _, logits = margins(x, x, x, np.zeros(5, np.int64))
        np.testing.assert_allclose(logits, answer(x), atol=1e-5)


def test_boxes_through_a_layer_are_reached_at_their_ends() -> None:
    layer = keras.layers.Dense(1)
    layer.build((None, 2))
    layer.set_weights([np.array([[2.0], [-3.0]], np.float32), np.array([1.0], np.float32)])
    at = Reached(tf.constant([[0.0, 0.0]]), tf.constant([[1.0, 2.0]]), tf.constant([[0.5, 1.0]]))
    after, sums = step(layer, at)
    assert sums is after
    ends = tf.concat([after.low, after.high, after.point], 0)
    np.testing.assert_array_equal(ends, [[-5.0], [3.0], [-1.0]])


def test_a_quantizer_rounds_and_clips_both_ends() -> None:
    at = Reached(tf.constant([[-1.0, 0.3]]), tf.constant([[0.4, 9.0]]), tf.constant([[0.1, 0.3]]))
    after, sums = step(QActivation(activation(2, 0)), at)  # 0, 1/4, 2/4, 3/4
    assert sums is None
    np.testing.assert_array_equal(after.low, [[0.0, 0.25]])
    np.testing.assert_array_equal(after.high, [[0.5, 0.75]])


def test_gradients_go_through_the_quantizers_of_ends_and_weights() -> None:
    x = inputs = keras.layers.Input((3,))
    x = QDense(4, kernel_quantizer=weights(8)(), name="hidden")(x)
    x = QActivation(activation(8, 1), name="relu")(x)
    model = keras.Model(inputs, QDense(2, kernel_quantizer=weights(8)(), name="logits")(x))
    kernel = model.get_layer("hidden").kernel
    kernel.assign(tf.abs(kernel))
    x = np.full((2, 3), 0.5, np.float32)
    with tf.GradientTape() as tape:
        worst = tf.reduce_sum(Margins(model)(x - 0.1, x + 0.1, x[:0], np.arange(2)).margins)
    gradients = tape.gradient(worst, [kernel, model.get_layer("logits").kernel])
    assert all(float(tf.reduce_sum(tf.abs(g))) > 0 for g in gradients)


def test_what_has_no_intervals_is_named() -> None:
    layers = keras.layers
    x = inputs = layers.Input((4, 4, 1))
    a = layers.Conv2D(2, 3, padding="same", name="first")(x)
    skip = layers.Add(name="sum")([a, a])
    with pytest.raises(UsageError, match=r"layer sum of joined: .* a plain chain"):
        chain_of(keras.Model(inputs, skip, name="joined"))
    sigmoid = layers.Activation("sigmoid", name="curve")(a)
    with pytest.raises(UsageError, match="layer curve of curved: no interval form for Activation"):
        chain_of(keras.Model(inputs, sigmoid, name="curved"))
    with pytest.raises(UsageError, match="its last layer is not a dense one that is linear"):
        Margins(keras.Model(inputs, layers.ReLU()(a), name="headless"))
    tanh = layers.Dense(2, "tanh", name="bent")(layers.Flatten()(a))
    model = keras.Model(inputs, layers.Dense(2)(tanh), name="tanh")
    zeros = np.zeros((1, 4, 4, 1), np.float32)
    with pytest.raises(UsageError, match="layer bent: no interval form for its activation"):
        Margins(model)(zeros, zeros, zeros, np.zeros(1, np.int64))


@pytest.mark.slow
def test_the_size_of_the_published_network() -> None:
    built = CnnA("c", (32, 32, 3), 10, (1, 1, 1), 3)
    assert built.build_float().count_params() == built.build_qat(W8).count_params() == 214_918
    assert CnnA("m", (28, 28, 1), 10, (1, 1, 1), 3).build_float().count_params() == 166_406
