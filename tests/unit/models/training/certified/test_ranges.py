"""Moved onto the grids of its quantized counterpart, a network is the same function."""

from __future__ import annotations

import numpy as np
import pytest

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.data.splits import dataset
from tinyrobust.models.keras.quantizers import activation, covering, signed
from tinyrobust.models.keras.tf import keras, tf
from tinyrobust.models.training.certified.ranges import onto_ranges

from qkeras import QActivation, QDense  # isort: skip  (after tinyrobust.models.keras.tf)

SPEC = TensorSpec((3,), 1 / 128, 0)
DATA = dataset(
    "points",
    np.random.default_rng(0).integers(-128, 128, (200, 3)).astype(np.int8),
    np.zeros(200, np.int64),
)


def full(units: int = 5):
    keras.utils.set_random_seed(4)
    x = inputs = keras.layers.Input((3,))
    x = keras.layers.ReLU()(keras.layers.Dense(units, name="a", bias_initializer="ones")(x))
    x = keras.layers.ReLU()(keras.layers.Dense(units, name="b")(x))
    return keras.Model(inputs, keras.layers.Dense(2, name="logits")(x), name="full")


def on_grids(units: int = 5):
    x = inputs = keras.layers.Input((3,))
    for name, integer in (("a", 0), ("b", 4)):
        x = QDense(units, kernel_quantizer=covering(8)(), name=name)(x)
        x = QActivation(activation(8, integer), name=f"relu_{name}")(x)
    x = QDense(2, kernel_quantizer=covering(7)(), name="logits")(x)
    return keras.Model(inputs, QActivation(signed(3), name="grid")(x), name="on_grids")


def test_the_function_stays_and_its_boxes_fill_the_grids() -> None:
    source, target = full(), on_grids()
    onto_ranges(source, target, DATA, SPEC, 4)
    moved = full()
    moved.set_weights(target.get_weights())
    x = SPEC.dequantize(DATA.q)
    np.testing.assert_allclose(moved(x), source(x), rtol=1e-4, atol=1e-5)
    for name, end in (("a", 1.0), ("b", 16.0)):
        sums = keras.Model(moved.input, moved.get_layer(name).output)(x)
        assert 0.7 * end < float(tf.reduce_max(sums)) < 1.1 * end
    np.testing.assert_allclose(target(x), source(x), atol=0.2)


def test_another_network_is_refused() -> None:
    x = inputs = keras.layers.Input((3,))
    headless = keras.Model(inputs, keras.layers.Dense(2, name="logits")(x), name="short")
    with pytest.raises(UsageError, match="short has other layers than full"):
        onto_ranges(full(), headless, DATA, SPEC, 4)
