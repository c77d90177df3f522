import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinyrobust.attacks.base.input_grid import levels, linf, round_inward
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec

SPECS = [
    TensorSpec((4,), 1 / 128, 0),
    TensorSpec((4,), 1 / 255, -128),
    TensorSpec((4,), 1.0, -128),
    TensorSpec((4,), 0.5847029, 83),
]


@pytest.mark.parametrize(
    ("eps", "expected"),
    [(0.0, 0), (0.001, 0), (0.005, 1), (1 / 255, 1), (0.3, 76), (1.0, 255), (0.0078, 1)],
)
def test_levels_of_published_budgets(eps, expected):
    assert levels(eps) == expected


def test_levels_survive_float_error():
    assert [levels(n / 255) for n in range(256)] == list(range(256))


@pytest.mark.parametrize("eps", [-0.01, 1.01, float("nan"), float("inf")])
def test_levels_refuses_impossible_budgets(eps):
    with pytest.raises(UsageError, match="0 to 1"):
        levels(eps)


@given(
    st.sampled_from(SPECS),
    hnp.arrays(np.int8, (3, 4)),
    hnp.arrays(np.float32, (3, 4), elements=st.floats(-400, 400, width=32)),
    st.integers(0, 255),
)
def test_snap_stays_in_the_budget_and_never_adds_to_the_perturbation(spec, clean, move, budget):
    snapped = round_inward(
        clean, spec.dequantize(clean) + move * np.float32(spec.scale), spec, budget
    )
    change = snapped.astype(int) - clean
    assert np.abs(change).max() <= budget
    assert np.all(np.abs(change) <= np.abs(move) + 0.01)
    assert np.all(change * move >= 0)


@given(st.sampled_from(SPECS), hnp.arrays(np.int8, (3, 4)), hnp.arrays(np.int8, (3, 4)))
def test_snap_keeps_grid_points(spec, clean, target):
    assert np.array_equal(round_inward(clean, spec.dequantize(target), spec, 255), target)
    assert linf(clean, target).max() == np.abs(clean.astype(int) - target).max()


def test_snap_refuses_nan():
    q = np.zeros((1, 4), np.int8)
    with pytest.raises(ValueError, match="NaN"):
        round_inward(q, np.full((1, 4), np.nan, np.float32), SPECS[0], 1)


def test_linf_of_no_samples():
    assert linf(np.zeros((0, 4), np.int8), np.zeros((0, 4), np.int8)).shape == (0,)
