import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from tinyrobust.core.stats import mcnemar, paired_difference, wilson


@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_values_of_newcombe_1998(correct, n, low, high):
    assert wilson(correct, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_at_the_ends():
    assert wilson(20, 20) == pytest.approx((1 - 0.1611, 1.0), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="3 correct of 2"):
        wilson(3, 2)


@pytest.mark.parametrize("n", [1, 2, 7, 29, 128, 500, 10_000])
def test_wilson_reaches_its_ends_exactly(n):
    (low, above), (below, high) = wilson(0, n), wilson(n, n)
    assert (low, high) == (0.0, 1.0)
    assert 0 < above < 1
    assert above + below == pytest.approx(1)


def test_mcnemar_is_exact_where_its_terms_are_larger_than_any_float():
    assert mcnemar(1500, 1400) == pytest.approx(binomtest(1500, 2900).pvalue, rel=1e-9)


def test_mcnemar_gives_the_value_of_fagerland_2013_for_airway_responsiveness():
    assert mcnemar(1, 7) == pytest.approx(0.0703, abs=5e-5)


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_is_the_binomial_test(lost, gained):
    expected = binomtest(lost, lost + gained).pvalue if lost + gained else 1.0
    assert mcnemar(lost, gained) == pytest.approx(expected, rel=1e-9)
    assert mcnemar(lost, gained) == mcnemar(gained, lost)


def test_paired_difference_gives_the_value_of_fagerland_2014_for_airway_responsiveness():
    assert paired_difference(lost=7, gained=1, n=21) == pytest.approx((-0.508, -0.013), abs=1e-3)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_paired_difference_is_antisymmetric_and_bounded(lost, gained, same):
    n = lost + gained + same
    low, high = paired_difference(lost, gained, n)
    assert -1 <= low <= high <= 1
    assert paired_difference(gained, lost, n) == pytest.approx((-high, -low))
