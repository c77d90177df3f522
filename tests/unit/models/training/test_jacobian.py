"""The estimator against the exact Jacobian, in float and through straight-through quantizers."""

import numpy as np
import pytest

from tinyrobust.models.keras.rounding import quantized_relu_away
from tinyrobust.models.keras.tf import keras, tf
from tinyrobust.models.training.jacobian import (
    LayerWeight,
    Penalty,
    Regularized,
    exact_squared_norm,
    random_directions,
    squared_norm,
)

from qkeras import QActivation, QDense, quantized_bits  # isort: skip

pytestmark = pytest.mark.slow


def _float_net():
    x = i = keras.layers.Input((6,), name="image")
    x = keras.layers.Dense(8, activation="tanh", name="hidden")(x)
    return keras.Model(i, keras.layers.Dense(4, name="logits")(x))


def _quantized_net():
    x = i = keras.layers.Input((6,), name="image")
    x = QDense(8, kernel_quantizer=quantized_bits(4, 0, 1, alpha="auto_po2"), name="hidden")(x)
    x = QActivation(quantized_relu_away(4, 1), name="relu")(x)
    return keras.Model(
        i, QDense(4, kernel_quantizer=quantized_bits(4, 0, 1, alpha="auto_po2"), name="logits")(x)
    )


@pytest.mark.parametrize("build", [_float_net, _quantized_net])
def test_estimate_converges_to_the_exact_norm(build):
    keras.utils.set_random_seed(1)
    model = build()
    images = tf.random.uniform((32, 6), -1, 1)
    exact = float(tf.reduce_mean(exact_squared_norm(model, images)))
    _, penalty = Regularized(model, Penalty(strength=2.0, projections=400))(images)
    assert exact > 0
    assert float(penalty) == pytest.approx(exact, rel=0.05)


def test_exact_norm_is_autodiffs():
    keras.utils.set_random_seed(2)
    model = _float_net()
    images = tf.random.normal((5, 6))
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = model(images)
    full = tape.batch_jacobian(logits, images)
    np.testing.assert_allclose(
        exact_squared_norm(model, images), tf.reduce_sum(full**2, axis=(1, 2)), rtol=1e-5
    )


def test_linear_layer_by_hand():
    kernel = np.arange(12, dtype=np.float32).reshape(4, 3)
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3, use_bias=False)])
    model.set_weights([kernel])
    np.testing.assert_allclose(
        exact_squared_norm(model, np.ones((2, 4), np.float32)), [506.0, 506.0]
    )


def test_directions_have_length_root_of_size():
    v = random_directions(tf.zeros((7, 3, 5)))
    np.testing.assert_allclose(tf.reduce_sum(v**2, axis=(1, 2)), 15.0, rtol=1e-5)


def test_layer_penalty_is_that_layers_jacobian_alone():
    keras.utils.set_random_seed(3)
    model = _quantized_net()
    penalty = Penalty(layers=(LayerWeight("relu", "logits", 2.0),), projections=300)
    _, got = Regularized(model, penalty)(tf.random.uniform((64, 6), -1, 1))
    kernel = model.get_layer("logits").kernel_quantizer_internal(model.get_layer("logits").kernel)
    assert float(got) == pytest.approx(float(tf.reduce_sum(kernel**2)), rel=0.1)


def test_gradient_of_the_penalty_is_that_of_the_exact_norm():
    keras.utils.set_random_seed(4)
    model = _float_net()
    images = tf.random.normal((16, 6))
    hidden = model.get_layer("hidden").kernel
    with tf.GradientTape() as tape:
        exact = tf.reduce_mean(exact_squared_norm(model, images))
    wanted = tape.gradient(exact, hidden)
    regularized = Regularized(model, Penalty(strength=2.0, projections=300))
    with tf.GradientTape() as tape:
        _, estimate = regularized(images)
    got = tape.gradient(estimate, hidden)
    assert float(tf.norm(got - wanted) / tf.norm(wanted)) < 0.1


def test_one_projection_is_unbiased():
    keras.utils.set_random_seed(5)
    model = _float_net()
    images = tf.random.normal((8, 6))
    exact = float(tf.reduce_mean(exact_squared_norm(model, images)))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(images)
        logits = model(images)
    draws = [float(squared_norm(tape, logits, images, 1)) for _ in range(400)]
    assert abs(np.mean(draws) - exact) < 4 * np.std(draws) / 20


@pytest.mark.parametrize(
    "bad", [{"strength": -1.0}, {"projections": 0}, {"share": 0.0}, {"share": 1.5}]
)
def test_nonsense_is_refused(bad):
    with pytest.raises(ValueError, match="penalty"):
        Penalty(**bad)
