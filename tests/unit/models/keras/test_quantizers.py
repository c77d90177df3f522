"""Weights on a power-of-two grid that clips none of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyrobust.models.export.weight_grid import weight_grid
from tinyrobust.models.keras.quantizers import covering
from tinyrobust.models.keras.tf import tf

from qkeras import QDense  # isort: skip  (after tinyrobust.models.keras.tf)


@given(seed=st.integers(0, 2**32 - 1), bits=st.integers(2, 8), exponent=st.integers(-4, 6))
def test_every_weight_is_within_half_a_step(seed: int, bits: int, exponent: int) -> None:
    rng = np.random.default_rng(seed)
    kernel = (rng.standard_t(2, (3, 2, 4)) * 2.0**exponent).astype(np.float32)
    quantizer = covering(bits)()
    got = np.asarray(quantizer(tf.constant(kernel)))
    step = np.asarray(quantizer.scale)
    assert (np.frexp(step)[0] == 0.5).all()
    assert step.shape == (1, 1, 4)
    steps = got / step
    np.testing.assert_array_equal(steps, np.rint(steps))
    end = 2 ** (bits - 1) - 1
    # The tenth of a thousandth of a step is what float32's logarithm may take at a power of two.
    assert (np.abs(got - kernel) <= 0.5001 * step).all()
    assert (np.abs(steps) <= end).all()
    assert (np.abs(kernel).reshape(-1, 4).max(0) >= 0.49 * end * step.reshape(4)).all()
    grid = weight_grid(np.moveaxis(got, -1, 0).reshape(4, -1), np.ones(4))
    np.testing.assert_array_equal(
        grid.ints * grid.scales[:, None], np.moveaxis(got, -1, 0).reshape(4, -1)
    )


def test_gradients_go_straight_through_and_zeros_stay() -> None:
    kernel = tf.constant([[0.3, 0.0], [-1.7, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        quantized = covering(8)()(kernel)
        total = tf.reduce_sum(quantized * [[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(tape.gradient(total, kernel), [[1.0, 2.0], [3.0, 4.0]])
    assert quantized.numpy()[:, 1].tolist() == [0.0, 0.0]
    assert quantized.numpy()[1, 0] == pytest.approx(-1.7, abs=1 / 128)


def test_a_channel_that_has_vanished_is_no_finer_than_its_bias_allows() -> None:
    quantizer = covering(8)()
    got = quantizer(tf.constant([[1e-9, 0.5], [-3e-9, 0.25]]))
    np.testing.assert_array_equal(got, [[0.0, 0.5], [0.0, 0.25]])
    assert quantizer.scale.numpy().tolist() == [[2.0**-14, 2.0**-7]]


def test_an_update_does_not_clip_kernels_to_one() -> None:
    layer = QDense(1, kernel_quantizer=covering(8)())
    layer.build((None, 2))
    assert np.abs(layer.kernel.numpy()).max() < 4, "drawn as by a layer without a quantizer"
    layer.kernel.assign([[2.5], [-3.0]])
    np.testing.assert_array_equal(layer.kernel.constraint(layer.kernel), [[2.5], [-3.0]])
