"""The float64 staircase against the int64 definition of both roundings: around every step, at ties
and far outside.
"""

import numpy as np
import pytest

from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.twin.requantize import Factor, Output
from tinyrobust.models.rungs.twin.staircase import ONCE, TWICE, requantize

Q31 = [1 << 30, (1 << 30) + 1, 1518500250, 3 << 29, (1 << 31) - 1]
OUTPUTS = [
    Output(-128, -128, 127),
    Output(127, -128, 127),
    Output(5, -128, 127),
    Output(-3, -3, 60),
    Output(9, 40, 90),
]
INT8 = (TWICE, [0, -1, -2, -7, -12, -13])
INT16 = (ONCE, [0, -1, -7, -21])


def around_every_step(factor: Factor, out: Output, limit: int) -> np.ndarray:
    """Three integers to each side of where the level changes, ends and 300 anywhere; within
    ``limit``.
    """
    steps = (np.arange(out.low - 2, out.high + 3) - out.zero_point - 0.5) / factor.real
    near = np.rint(steps).astype(np.int64)[:, None] + np.arange(-3, 4)
    anywhere = np.random.default_rng(0).integers(-limit, limit, 300)
    return np.clip(
        np.concatenate([near.ravel(), anywhere, [-limit, limit - 1, -1, 0, 1]]), -limit, limit - 1
    )


@pytest.mark.parametrize("out", OUTPUTS, ids=str)
@pytest.mark.parametrize(
    ("rounding", "shift"), [(how, shift) for how, shifts in (INT8, INT16) for shift in shifts]
)
def test_every_step_is_where_int64_has_it(rounding, shift, out):
    for q31 in Q31:
        factor = Factor.of(q31, shift)
        assert rounding.staircase(factor, out) is not None
        x = around_every_step(factor, out, 1 << (31 if rounding is TWICE else 47))
        expected = np.clip(
            rounding.multiply(tf.constant(x), factor).numpy() + out.zero_point, out.low, out.high
        )
        got = requantize(tf.constant(x, tf.float64), factor, out, rounding).numpy()
        np.testing.assert_array_equal(got, expected, err_msg=f"{q31}")


def test_int16_levels_have_as_exact_steps():
    out = Output(0, -32768, 32767)
    for q31 in Q31:
        factor = Factor.of(q31, -5)
        x = around_every_step(factor, out, 1 << 31)
        expected = np.clip(TWICE.multiply(tf.constant(x), factor).numpy(), out.low, out.high)
        np.testing.assert_array_equal(
            requantize(tf.constant(x, tf.float64), factor, out).numpy(), expected
        )


def test_every_channel_has_its_own_steps():
    factor, out = Factor.of(np.array(Q31[:3]), np.array([-6, 0, -9])), Output(11, -128, 127)
    x = np.random.default_rng(0).integers(-(2**16), 2**16, (4000, 3))
    expected = np.clip(TWICE.multiply(tf.constant(x), factor).numpy() + 11, -128, 127)
    np.testing.assert_array_equal(
        requantize(tf.constant(x, tf.float64), factor, out).numpy(), expected
    )


@pytest.mark.parametrize(("rounding", "shift"), [(TWICE, 1), (TWICE, -15), (ONCE, -31)])
def test_what_float64_cannot_hold_stays_in_int64(rounding, shift):
    factor, out = Factor.of(1518500250, shift), Output(5, -128, 127)
    assert rounding.staircase(factor, out) is None
    x = around_every_step(factor, out, 1 << 31)
    expected = np.clip(rounding.multiply(tf.constant(x), factor).numpy() + 5, -128, 127)
    np.testing.assert_array_equal(
        requantize(tf.constant(x, tf.float64), factor, out, rounding).numpy(), expected
    )
