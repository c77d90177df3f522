"""What an int16 input gets for each level of the ladder's int8 input grid."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyrobust.core.errors import UsageError
from tinyrobust.core.grid import input_grid, own_grid, table, to_model_input
from tinyrobust.core.types import TensorSpec

PIXELS = TensorSpec((2,), 1 / 255, -128)
EVERY = np.arange(-128, 128).astype(np.int8)


def int16(scale):
    return TensorSpec((2,), float(np.float32(scale)), 0, "int16")


@given(st.floats(1e-6, 10), st.integers(-128, 127), st.floats(1e-7, 1))
def test_each_level_becomes_the_nearest_point(scale, zero_point, step):
    spec, grid = TensorSpec((2,), scale, zero_point), int16(step)
    for level, point in zip(EVERY, table(spec, grid), strict=True):
        real = Fraction(scale) * (int(level) - zero_point)
        gap = abs(real - Fraction(grid.scale) * int(point))
        saturated = point in (-32768, 32767) and abs(real) >= abs(Fraction(grid.scale) * int(point))
        assert saturated or gap <= Fraction(grid.scale) / 2


def test_ties_go_away_from_zero():
    spec = TensorSpec((2,), 0.5, 0)
    assert table(spec, int16(1.0))[[125, 127, 129, 131]].tolist() == [-2, -1, 1, 2]


def test_a_finer_grid_by_a_whole_factor_is_hit_exactly():
    np.testing.assert_array_equal(
        table(TensorSpec((2,), 1 / 128, 0), int16(1 / 32768)), EVERY.astype(int) * 256
    )


def test_the_default_input_grid_spans_from_0_to_the_grids_end():
    grid = int16(1 / 32767)
    spec = input_grid(grid)
    assert spec.zero_point == -128
    points = table(spec, grid)
    assert (points[0], points[-1]) == (0, 32767)
    assert spec.scale == pytest.approx(PIXELS.scale, rel=1e-6)


def test_a_signed_input_grid_spans_both_sides():
    grid = int16(0.01)
    points = table(input_grid(grid, signed=True), grid)
    assert (points[0], points[1], points[128], points[-1]) == (-32768, -32767, 0, 32767)


def test_an_int8_input_is_its_own_input_grid():
    grid = TensorSpec((2,), 0.1, 3)
    assert input_grid(grid) is grid
    q = np.array([[-128, 127], [0, 5]], np.int8)
    np.testing.assert_array_equal(to_model_input(q, grid, grid), q)
    assert to_model_input(q, grid, grid).dtype == np.int8


def test_the_bytes_on_the_wire_are_little_endian():
    q = np.array([[1, 2]], np.int8)
    assert to_model_input(q, TensorSpec((2,), 1.0, 0), int16(1.0)).tobytes() == b"\x01\x00\x02\x00"


@pytest.mark.parametrize(
    ("spec", "grid"),
    [
        (PIXELS, TensorSpec((2,), 1 / 254, -128)),
        (PIXELS, TensorSpec((2,), 1 / 255, -127)),
        (PIXELS, TensorSpec((3,), 1 / 255, -128)),
        (int16(0.1), int16(0.2)),
        (int16(0.1), PIXELS),
    ],
)
def test_what_would_be_a_second_rounding_is_refused(spec, grid):
    with pytest.raises(UsageError, match="the ladder's input grid"):
        table(spec, grid)


@given(st.floats(1e-6, 10), st.sampled_from([-128, -69, 0]), st.floats(1e-7, 1))
def test_an_own_grid_has_every_point_between_the_ends_of_the_256_levels(scale, zero_point, step):
    grid, model_input = TensorSpec((2,), scale, zero_point), int16(step)
    points = table(grid, model_input)
    own = own_grid(grid, model_input)
    assert (own.bottom, own.top) == (points[0], points[-1])
    if own.steps:
        assert np.array_equal(table(own, model_input), np.arange(own.bottom, own.top + 1))
        ends = np.array([[own.bottom, own.top]], np.int16)
        assert np.array_equal(to_model_input(ends, own, model_input), ends)


def test_a_range_is_the_same_on_both_grids():
    model_input = int16(1 / 32767)
    grid = input_grid(model_input)
    own = own_grid(grid, model_input)
    assert (own.low, own.high) == pytest.approx((grid.low, grid.high), abs=1e-6)
    assert (grid.steps, own.steps) == (255, 32767)
    assert own_grid(PIXELS, PIXELS) is PIXELS, "an int8 input is its own grid"
