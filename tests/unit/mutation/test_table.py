"""The table of what is mutated names modules and tests that are there."""

import pytest

from tests.mutation.report import interval
from tests.mutation.table import ROWS, source_file


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_modules_and_tests_of_a_part_exist(row):
    missing = [
        str(path)
        for path in (*map(source_file, row.sources), *row.test_files())
        if not path.is_file()
    ]
    assert not missing
    assert row.name == row.name.lower()


def test_the_interval_is_the_one_of_the_reports():
    """Newcombe 1998, and its ends."""
    assert interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert interval(0, 0) == (0.0, 1.0)
