import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import fixed_point as fp


@given(st.floats(1e-9, 1e9))
def test_multiplier_is_the_nearest_q31(real):
    m = fp.quantize_multiplier(real)
    assert 1 << 30 <= m.q31 < 1 << 31
    assert abs(Fraction(m.q31) * Fraction(2) ** (m.shift - 31) - Fraction(real)) <= Fraction(2) ** (m.shift - 32)


@pytest.mark.parametrize(
    ("real", "q31", "shift"),
    [(0.0, 0, 0), (0.5, 1 << 30, 0), (1.0, 1 << 30, 1), (1 - 2**-33, 1 << 30, 1), (2.0**-40, 0, 0), (0.75, 3 << 29, 0)],
)
def test_multiplier_at_the_edges(real, q31, shift):
    assert fp.quantize_multiplier(real) == fp.Multiplier(q31, shift)


@pytest.mark.parametrize("real", [-1.0, math.inf, math.nan, 2.0**31])
def test_impossible_multipliers_are_refused(real):
    with pytest.raises(ValueError, match="scale factor"):
        fp.quantize_multiplier(real)


@given(st.floats(1e-3, 10), st.floats(1e-3, 10), st.integers(1, 1 << 16))
def test_mean_divides_by_the_count(scale, out_scale, count):
    assert fp.mean_multiplier(scale, out_scale, count).real == pytest.approx(scale / out_scale / count, rel=2**-28)


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
