import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyrobust.models.plan import fixed_point as fp


@given(st.floats(1e-9, 1e9))
def test_multiplier_is_the_nearest_q31(real):
    m = fp.quantize_multiplier(real)
    assert 1 << 30 <= m.q31 < 1 << 31
    assert abs(Fraction(m.q31) * Fraction(2) ** (m.shift - 31) - Fraction(real)) <= Fraction(2) ** (
        m.shift - 32
    )


@pytest.mark.parametrize(
    ("real", "q31", "shift"),
    [
        (0.0, 0, 0),
        (0.5, 1 << 30, 0),
        (1.0, 1 << 30, 1),
        (1 - 2**-33, 1 << 30, 1),
        (1 - 2**-31, (1 << 31) - 1, 0),
        (2.0**-40, 0, 0),
        (0.75, 3 << 29, 0),
        (2.0**-32, 1 << 30, -31),
        (1.5 * 2.0**-33, 0, 0),
        (1.5 * 2.0**29, 3 << 29, 30),
    ],
)
def test_multiplier_at_the_edges(real, q31, shift):
    assert fp.quantize_multiplier(real) == fp.Multiplier(q31, shift)


@pytest.mark.parametrize(
    "real", [-1.0, -1e-9, math.inf, math.nan, 2.0**31, 2.0**30, 2.0**30 * (1 - 2**-33)]
)
def test_impossible_multipliers_are_refused(real):
    with pytest.raises(ValueError, match="scale factor"):
        fp.quantize_multiplier(real)


@given(st.floats(1e-3, 10), st.floats(1e-3, 10), st.integers(1, 1 << 16))
def test_mean_divides_by_the_count(scale, out_scale, count):
    assert fp.mean_multiplier(scale, out_scale, count).real == pytest.approx(
        scale / out_scale / count, rel=2**-28
    )


@pytest.mark.parametrize(
    ("activation", "scale", "zero_point", "expected"),
    [
        ("NONE", 0.1, 5, (-128, 127)),
        ("RELU", 0.1, 5, (5, 127)),
        ("RELU6", 0.1, -128, (-128, -68)),
        ("RELU_N1_TO_1", 0.1, 0, (-10, 10)),
        ("RELU6", 1.0, 0, (0, 6)),
    ],
)
def test_fused_activation_ranges(activation, scale, zero_point, expected):
    assert fp.activation_range(activation, scale, zero_point, -128, 127) == expected


def test_an_unknown_fused_activation_is_refused():
    with pytest.raises(ValueError, match="TANH"):
        fp.activation_range("TANH", 0.1, 0, -128, 127)


@given(st.integers(1, 64), st.integers(1, 9), st.integers(1, 4), st.integers(1, 3), st.booleans())
def test_windows_cover_what_tflite_says(size, kernel, stride, dilation, same):
    reach = (kernel - 1) * dilation + 1
    if not same and reach > size:
        with pytest.raises(ValueError, match="does not fit"):
            fp.window(size, kernel, stride, dilation, same)
        return
    w = fp.window(size, kernel, stride, dilation, same)
    starts = range(-w.pad, size if same else size - reach + 1, stride)
    assert w.out == len(starts if not same else range(0, size, stride))
    assert w.pad == 0 or same


@pytest.mark.parametrize("real", [0.0, 1.0, 1.5, -0.5])
def test_a_factor_below_one_lies_strictly_between_0_and_1(real):
    with pytest.raises(ValueError, match="is not between 0 and 1"):
        fp.smaller_than_one(real)


def test_a_factor_below_one_that_is_rounded_to_it_is_refused():
    with pytest.raises(ValueError, match="rounds to 1"):
        fp.smaller_than_one(1 - 2**-40)


def test_a_factor_below_one_may_come_close():
    assert fp.smaller_than_one(1 - 2**-31) == fp.Multiplier((1 << 31) - 1, 0)
    assert fp.smaller_than_one(2.0**-20) == fp.Multiplier(1 << 30, -19)


def test_what_a_multiplier_stands_for():
    assert fp.Multiplier(1 << 30, 1).real == 1.0
    assert fp.Multiplier(3 << 29, -2).real == 0.1875


def test_a_convolution_multiplies_the_scales_that_go_in_and_divides_by_the_one_that_comes_out():
    assert fp.conv_multiplier(0.5, 0.75, 4.0).real == 0.09375


@pytest.mark.parametrize(
    ("one", "two"), [(0.5, 0.125), (0.125, 0.5), (0.25, 0.25), (0.375, 0.09375)]
)
def test_a_sum_is_taken_at_twice_the_larger_scale(one, two):
    p = fp.add_params(one, two, 0.75, 20)
    twice = 2 * max(one, two)
    assert (p.left_shift, p.input1.real, p.input2.real) == (20, one / twice, two / twice)
    assert p.output.real == pytest.approx(twice / 0.75 / 2**20, rel=2**-30)
    assert fp.add_params(one, two, 0.75, 15).output.real == pytest.approx(
        p.output.real * 2**5, rel=2**-30
    )


@pytest.mark.parametrize(
    ("scale", "count", "shift"),
    [
        (0.75, 1, 0),
        (0.75, 2, 1),
        (0.75, 49, 5),
        (0.75, 64, 6),
        (3.0, 1 << 35, 32),
        (0.75, 1 << 35, 31),
        (0.75 * 2**-28, 100, 3),
    ],
)
def test_a_mean_shifts_as_far_as_64_bits_and_the_result_allow(scale, count, shift):
    """``QuantizedMeanOrSum``: by the count's bits, at most 32, at most to a right shift of 31."""
    base = fp.quantize_multiplier(scale)
    expected = fp.Multiplier((base.q31 << shift) // count, base.shift - shift)
    assert fp.mean_multiplier(2 * scale, 2.0, count) == expected


@pytest.mark.parametrize(
    ("scale", "beta", "q31", "shift", "diff_min"),
    [
        (0.125, 1.0, 1 << 30, 24, -124),
        (0.125, 0.5, 1 << 30, 23, -248),
        (0.75, 1.0, 3 << 29, 26, -31),
        (3.0, 1.0, 3 << 29, 28, -7),
        (1.5 * 2**-26, 1.0, 3 << 29, 1, -31 * 2**25),
    ],
)
def test_softmax_scales_to_26_fractional_bits_and_knows_its_radius(
    scale, beta, q31, shift, diff_min
):
    assert fp.softmax_params(scale, beta) == fp.SoftmaxParams(fp.Multiplier(q31, shift), diff_min)


@pytest.mark.parametrize("scale", [2**-26, 2**-27, 0.0, math.nan])
def test_a_softmax_of_too_small_a_scale_is_refused(scale):
    with pytest.raises(ValueError, match="is too small"):
        fp.softmax_params(scale, 1.0)


def test_a_wide_softmax_makes_10_of_65535():
    assert fp.softmax_table_multiplier(10.0 / 65535.0, 1.0) == fp.Multiplier(1 << 30, 1)
    assert fp.softmax_table_multiplier(10.0 / 65535.0, 0.75) == fp.Multiplier(3 << 29, 0)


@pytest.mark.parametrize(
    ("activation", "scale", "zero_point", "expected"),
    [
        ("RELU6", 4.0, 0, (0, 2)),
        ("RELU6", 5.0, 3, (3, 4)),
        ("RELU_N1_TO_1", 2.0, 0, (-1, 1)),
        ("RELU_N1_TO_1", 3.0, 7, (7, 7)),
        ("RELU_N1_TO_1", 0.001, 7, (-128, 127)),
        ("RELU_N1_TO_1", 2.0**-30, 0, (-128, 127)),
        ("RELU", 0.1, 127, (127, 127)),
        ("RELU", 0.1, -128, (-128, 127)),
    ],
)
def test_ends_of_activations_are_rounded_away_from_zero_and_kept_within_the_type(
    activation, scale, zero_point, expected
):
    assert fp.activation_range(activation, scale, zero_point, -128, 127) == expected


def test_activations_that_leave_nothing_or_need_more_than_int32_are_refused():
    with pytest.raises(ValueError, match=r"leaves no values at scale 0\.1, zero point 128"):
        fp.activation_range("RELU", 0.1, 128, -128, 127)
    for scale in (2.0**-31, 1e-12):
        with pytest.raises(ValueError, match="is too small for RELU_N1_TO_1"):
            fp.activation_range("RELU_N1_TO_1", scale, 0, -128, 127)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation", "out", "pad"),
    [
        (7, 3, 2, 1, 4, 1),
        (6, 3, 2, 1, 3, 0),
        (5, 3, 1, 1, 5, 1),
        (5, 4, 1, 1, 5, 1),
        (5, 5, 1, 1, 5, 2),
        (9, 3, 1, 3, 9, 3),
        (9, 2, 3, 4, 3, 1),
        (4, 1, 3, 1, 2, 0),
        (1, 9, 1, 1, 1, 4),
    ],
)
def test_same_padding_is_shared_with_the_smaller_half_in_front(
    size, kernel, stride, dilation, out, pad
):
    assert fp.window(size, kernel, stride, dilation, True) == fp.Window(out, pad)


def test_a_window_fits_exactly_or_not_at_all():
    assert fp.window(5, 3, 1, 2, False) == fp.Window(1, 0)
    assert fp.window(9, 3, 2, 2, False) == fp.Window(3, 0)
    with pytest.raises(ValueError, match="a window of 5 does not fit into 4"):
        fp.window(4, 3, 1, 2, False)
    with pytest.raises(ValueError, match="a window of 1 does not fit into 0"):
        fp.window(0, 1, 1, 1, True)
