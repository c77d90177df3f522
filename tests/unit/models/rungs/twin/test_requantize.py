"""Requantization against gemmlowp's definition in plain integers, ties and signs included."""

import numpy as np
import pytest

from tinyrobust.models.rungs.twin.requantize import (
    Factor,
    Output,
    clamp,
    multiply,
    multiply_once,
    once_reduced,
)


def by_definition(x: int, q31: int, shift: int) -> int:
    """``RoundingDivideByPOT(SaturatingRoundingDoublingHighMul(x << left, q31), right)``, as
    gemmlowp writes them.
    """
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
    expected = [
        [by_definition(int(v), int(q), int(s)) for v, q, s in zip(row, q31, shift, strict=True)]
        for row in x
    ]
    np.testing.assert_array_equal(multiply(x, Factor.of(q31, shift)), expected)


@pytest.mark.parametrize("value", [Factor, Output])
def test_values_are_frozen(value):
    assert value.__dataclass_params__.frozen


def test_what_a_factor_stands_for():
    assert Factor.of(3 << 29, -2).real == 0.1875
    assert Factor.of(np.array([1 << 30, 3 << 29]), np.array([1, 4])).real.tolist() == [1.0, 12.0]


def once_by_definition(x: int, q31: int, shift: int) -> int:
    """``MultiplyByQuantizedMultiplier`` from int64: 15 bits of the multiplier, one rounding, ties
    upwards.
    """
    reduced = (q31 + 0x8000) // 0x10000 if q31 < 0x7FFF0000 else 0x7FFF
    return (x * reduced + 2 ** (14 - shift)) // 2 ** (15 - shift)


Q31 = [
    1 << 30,
    (1 << 30) + 0x7FFF,
    (1 << 30) + 0x8000,
    1518500250,
    0x7FFEFFFF,
    0x7FFF0000,
    0x7FFF8000,
    (1 << 31) - 1,
]


@pytest.mark.parametrize("shift", [-30, -9, -1, 0, 1, 7])
@pytest.mark.parametrize("q31", Q31)
def test_multiply_once_rounds_once(q31, shift):
    far = np.random.default_rng(0).integers(-(2**40), 2**40, 400)
    x = np.concatenate([np.arange(-300, 301), far, [-(2**47), 2**47 - 1]])
    expected = [once_by_definition(int(v), q31, shift) for v in x]
    np.testing.assert_array_equal(multiply_once(x, Factor.of(q31, shift)), expected)


def test_once_reduced_is_15_bits_and_their_weight():
    reduced, by = once_reduced(Factor.of(np.array([1 << 30, (1 << 31) - 1]), np.array([-3, 7])))
    assert (reduced.tolist(), by.tolist()) == ([0x4000, 0x7FFF], [18, 8])


def test_every_channel_has_its_own_factor_when_rounded_once():
    q31, shift = np.array([1 << 30, 1518500250, (1 << 31) - 1]), np.array([-4, 0, 3])
    x = np.random.default_rng(0).integers(-(2**40), 2**40, (50, 3))
    expected = [
        [
            once_by_definition(int(v), int(q), int(s))
            for v, q, s in zip(row, q31, shift, strict=True)
        ]
        for row in x
    ]
    np.testing.assert_array_equal(multiply_once(x, Factor.of(q31, shift)), expected)


def test_the_clamp_is_open_from_its_lowest_to_its_highest_value():
    value, passed = clamp(np.array([-200, -11, -10, 0, 9, 10, 300]), Output(5, -5, 14))
    assert np.asarray(value).tolist() == [-5, -5, -5, 5, 14, 14, 14]
    assert np.asarray(passed).tolist() == [0, 0, 1, 1, 1, 0, 0]
    assert np.asarray(value).dtype == np.asarray(passed).dtype == np.float32
