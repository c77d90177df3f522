"""Which sums of products may be reached: the last that the compiler takes and the first that it
refuses.
"""

import numpy as np
import pytest

from tests.support.networks.plan_models import dense, refused
from tests.support.tflite.factory import Affine
from tinyrobust.core.abi.plan import MAX_SHIFT_S16

INT32_MAX = 2**31 - 1


@pytest.mark.parametrize(
    "q", [Affine(0.05, -3), Affine(0.05, 5), Affine(0.05, -128), Affine(0.05, 127)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_an_int8_sum_may_reach_the_largest_int32_and_no_further(q, sign):
    """A bias, and eight weights of 127 times the input farthest from its zero point."""
    reach = 8 * 127 * max(127 - q.zero_point, q.zero_point + 128)
    weights = np.array([[1] * 8, [-127, 127] * 4], np.int8)
    for more in (0, 1):
        why = refused(dense(weights, np.array([0, sign * (INT32_MAX - reach + more)], np.int32), q))
        assert why == (
            None
            if not more
            else "model: FULLY_CONNECTED (operator 0): the sum of channel 1 can reach 2147483648, "
            "more than int32 holds"
        )


def test_an_int16_sum_with_an_int32_bias_may_reach_the_largest_int32():
    weights = np.array([[127] * 4], np.int8)
    for more in (0, 1):
        bias = np.array([INT32_MAX - 4 * 127 * 32768 + more], np.int32)
        why = refused(dense(weights, bias, Affine(0.01), wide=True))
        assert (why is None) == (not more)
        assert why is None or "more than int32 holds" in why


def test_the_products_that_cmsis_nn_adds_in_int32_must_fit():
    """512 weights of -128 times -32768 are 2**31."""
    weights = np.full((1, 600), -128, np.int8)
    assert "first 512 products" in refused(dense(weights, q=Affine(1e-5), wide=True))
    weights[0, 17] = -127
    assert refused(dense(weights, q=Affine(1e-5), wide=True)) is None


@pytest.mark.parametrize("sign", [1, -1])
def test_a_wide_sum_stays_below_48_bits(sign):
    weights, small = np.array([[1, -2]], np.int8), Affine(1e-9)
    bias = 2**47 - 1 - 3 * 32768
    assert refused(dense(weights, np.array([sign * bias]), small, wide=True)) is None
    why = refused(dense(weights, np.array([sign * (bias + 1)]), small, wide=True))
    assert f"the sum of channel 0 can reach {2**47}, more than 48 bits hold" in why
    too_large = 2**47 if sign > 0 else 2**47 - 1  # what is halved is rounded down
    assert "does not fit into 48 bits" in refused(
        dense(weights, np.array([sign * too_large]), small, wide=True)
    )


def test_a_wide_sum_is_shifted_left_as_far_as_tflite_defines():
    weights, bias = np.array([[1]], np.int8), np.array([0], np.int64)
    for scale, refusal in (
        (0.9 * 2**MAX_SHIFT_S16, None),
        (1.1 * 2**MAX_SHIFT_S16, "a left shift beyond 7"),
    ):
        why = refused(dense(weights, bias, Affine(1.0), wide=True, scales=[scale]))
        assert why is None if refusal is None else refusal in why


def test_a_scaled_wide_sum_stays_below_31_bits():
    """The sum can reach 2**24, the factor is 2**6."""
    weights = np.array([[1]], np.int8)
    for bias, taken in ((2**24 - 32768 - 1, True), (2**24 - 32768, False)):
        why = refused(dense(weights, np.array([bias]), Affine(1.0), wide=True, scales=[64.0]))
        assert (why is None) == taken
        assert taken or "its scaled sums can leave 31 bits" in why
