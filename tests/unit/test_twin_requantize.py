"""Requantization against gemmlowp's definition in plain integers, ties and signs included."""

import numpy as np
import pytest

from models.twin_requantize import Factor, multiply


def by_definition(x: int, q31: int, shift: int) -> int:
    """``RoundingDivideByPOT(SaturatingRoundingDoublingHighMul(x << left, q31), right)``, as gemmlowp writes them."""
    x = (x * 2 ** max(shift, 0) + 2**31) % 2**32 - 2**31
    product = x * q31
    nudge = 2**30 if product >= 0 else 1 - 2**30
    high = abs(product + nudge) // 2**31 * (1 if product + nudge >= 0 else -1)
    mask = 2 ** max(-shift, 0) - 1
    return (high >> max(-shift, 0)) + ((high & mask) > (mask >> 1) + (high < 0))


@pytest.mark.parametrize("shift", [-31, -12, -7, -3, -1, 0, 1, 5])
@pytest.mark.parametrize("q31", [1 << 30, (1 << 30) + 1, 1518500250, (1 << 31) - 1])
def test_multiply_rounds_twice_as_gemmlowp(q31, shift):
    near_zero = np.arange(-600, 601)
    far = np.random.default_rng(0).integers(-(2**31), 2**31, 400)
    x = np.concatenate([near_zero, far, [-(2**31), 2**31 - 1]])
    expected = [by_definition(int(v), q31, shift) for v in x]
    np.testing.assert_array_equal(multiply(x, Factor.of(q31, shift)), expected)


def test_every_channel_has_its_own_factor():
    q31, shift = np.array([1 << 30, 1518500250, (1 << 31) - 1]), np.array([-4, 0, 3])
    x = np.random.default_rng(0).integers(-(2**27), 2**27, (50, 3))
    expected = [[by_definition(int(v), int(q), int(s)) for v, q, s in zip(row, q31, shift, strict=True)] for row in x]
    np.testing.assert_array_equal(multiply(x, Factor.of(q31, shift)), expected)
