"""The twin's straight-through gradients against differences of its own exact outputs."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from tests.support.tflite.cases import OPERATORS, relaxed
from tests.support.tflite.factory import Affine, Factory, Window
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.twin.predictor import TwinPredictor

pytestmark = pytest.mark.slow


LINEAR = [name for name in OPERATORS if name.split()[0] not in ("ADD", "MAX_POOL_2D", "SOFTMAX")]
ROUNDING = 2.1
"""Levels by which two rounded outputs can stray from a straight line: half a level each per
rounding, at most two.
"""
MULTIPLIER = 2.0**-14
"""Sums of int16 products are scaled by 15 bits, and gradients add up in float32."""


def gradient(twin: TwinPredictor, real, of) -> np.ndarray:
    """d ``of(logits)`` / d ``real``."""
    real = tf.constant(real, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(real)
        value = of(twin.logits(real))
    return tape.gradient(value, real).numpy()


@pytest.mark.parametrize("operator", LINEAR)
def test_gradient_is_the_slope_between_two_exact_answers(operator):
    """Where the clamp is open on both sides, y(q + d) - y(q - d) is 2 d . gradient, but for
    rounding.
    """
    checked = 0

    @settings(relaxed, max_examples=6, derandomize=True)
    @given(OPERATORS[operator])
    def check(case):
        nonlocal checked
        scale = case.grid.scale * (200 if case.grid.dtype == "int16" else 1)
        twin = TwinPredictor(case.tflite, TensorSpec(case.grid.shape, scale, case.grid.zero_point))
        rng = np.random.default_rng(1)
        q = rng.integers(-60, 61, (1, *twin.input.shape), np.int8)
        d = rng.integers(-60, 61, q.shape, np.int8)
        ends = twin.predict(np.concatenate([q - d, q + d])).raw.astype(int)
        lows, highs = clamp_range(twin)
        inside = ((ends > lows) & (ends < highs)).all(axis=0)
        for j in np.flatnonzero(inside)[:3]:
            slope = gradient(twin, twin.input.dequantize(q), lambda y, j=j: tf.reshape(y, (-1,))[j])
            levels = np.sum(slope * 2.0 * d) * twin.input.scale / twin.output.scale
            assert abs(ends[1, j] - ends[0, j] - levels) <= ROUNDING + abs(levels) * MULTIPLIER, (
                case
            )
            checked += abs(levels) > 2 * ROUNDING

    check()
    assert checked, "no output moved by enough levels to tell a slope from rounding"


def clamp_range(twin: TwinPredictor) -> tuple[int, int]:
    """The output's clamp; for operators that have none, int8."""
    last = twin._program.records[-1]
    ends = np.iinfo(twin.output.dtype)
    return getattr(last, "act_min", ends.min), getattr(last, "act_max", ends.max)


def test_add_passes_the_gradient_to_both_operands():
    """x + 3 x: the second operand is computed on another scale."""
    f = Factory()
    x = f.input((1, 3), Affine(0.1, 5))
    tripled = f.fully_connected(
        x, np.diag([100, 100, 100]).astype(np.int8), [0.03], None, Affine(0.4, -7)
    )
    twin = TwinPredictor(f.build(x, f.add(x, tripled, Affine(0.5, 2))))
    slope = gradient(twin, [[1.0, -2.0, 3.0]], tf.reduce_sum)
    np.testing.assert_allclose(slope, [[4.0, 4.0, 4.0]], rtol=1e-6)


def test_max_pool_passes_the_gradient_to_the_largest_element():
    f = Factory()
    x = f.input((1, 2, 2, 1), Affine(1.0))
    twin = TwinPredictor(f.build(x, f.max_pool_2d(x, Window((2, 2)))))
    slope = gradient(twin, np.array([[[[1], [5]], [[3], [-4]]]]), tf.reduce_sum)
    np.testing.assert_array_equal(slope.reshape(-1), [0, 1, 0, 0])


def test_softmax_gradient_is_that_of_the_real_softmax():
    f = Factory()
    x = f.input((1, 5), Affine(0.1, 3))
    twin = TwinPredictor(f.build(x, f.softmax(x)))
    real = np.array([0.3, -1.0, 0.7, 2.0, 0.1])

    def probability(z: np.ndarray) -> float:
        return float(np.exp(z[3]) / np.exp(z).sum())

    step = 1e-5 * np.eye(5)
    expected = [(probability(real + h) - probability(real - h)) / 2e-5 for h in step]
    got = gradient(twin, real[None], lambda y: y[0, 3])
    np.testing.assert_allclose(got[0], expected, atol=2e-5)


def dense(out: Affine) -> TwinPredictor:
    f = Factory()
    x = f.input((1, 4), Affine(0.1))
    return TwinPredictor(
        f.build(x, f.fully_connected(x, np.full((2, 4), 100, np.int8), [0.1], None, out))
    )


def test_gradient_is_zero_where_an_output_is_saturated():
    shut, opened = dense(Affine(0.01)), dense(Affine(10.0))
    real = np.full((1, 4), 5.0)
    assert not gradient(shut, real, tf.reduce_sum).any()
    np.testing.assert_allclose(gradient(opened, real, tf.reduce_sum), 20.0, rtol=1e-6)


def test_gradient_is_zero_outside_the_input_range_and_there_at_its_edges():
    twin = dense(Affine(100.0))
    low, high = twin.input.low, twin.input.high
    slope = gradient(twin, [[low - 1, low, high, high + 1]], tf.reduce_sum)
    np.testing.assert_array_equal(slope[0] != 0, [False, True, True, False])


def test_logits_come_before_a_final_softmax():
    f = Factory()
    x = f.input((1, 4), Affine(0.1))
    y = f.fully_connected(
        x, np.diag([10, 20, 30, 40]).astype(np.int8), [0.1], None, Affine(0.05, 7)
    )
    real = np.array([[0.5, -0.2, 1.0, 0.3]], np.float32)
    bare = TwinPredictor(f.build(x, y))
    topped = TwinPredictor(f.build(x, f.softmax(y)))
    np.testing.assert_allclose(topped.logits(real), bare.logits(real), rtol=1e-6)


def test_a_gradient_step_beats_noise_of_the_same_size():
    """Keyword spotting, 64 official samples: what the gradients are for."""
    if "BENCH_DATA" not in os.environ:
        pytest.skip("BENCH_DATA is not set")
    data = Path(os.environ["BENCH_DATA"])
    twin = TwinPredictor((data / "mlperf_tiny" / "kws_ref_model.tflite").read_bytes())
    q = np.load(data / "kws01" / "kws01_mfcc_int8.npz")["x"][:64].reshape(-1, *twin.input.shape)
    label = twin.predict(q).raw.argmax(1)

    def loss(logits):
        return tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits))

    up = np.sign(gradient(twin, twin.input.dequantize(q), loss)).astype(int)
    noise = np.random.default_rng(0).choice([-1, 1], q.shape)

    def kept(direction: np.ndarray) -> float:
        moved = np.clip(q + 2 * direction, -128, 127).astype(np.int8)
        return float((twin.predict(moved).raw.argmax(1) == label).mean())

    assert kept(up) < kept(noise) - 0.2
