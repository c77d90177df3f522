"""The table of certificates: each column has what cheaper bounds certify, and the page is kept."""

import dataclasses

import pytest

from tests.support.runs.certified import row
from tinyrobust.core.errors import UsageError
from tinyrobust.studies.certified_digits import HEAD, section, table, written

STATUSES = ("certified", "certified", "certified", "undecided", "broken", "wrong", "certified")
METHODS = ("interval", "linear", "split", "split", "linear", "-", "crown-ibp")


def rows(levels=4):
    pairs = enumerate(zip(STATUSES, METHODS, strict=True))
    return [
        dataclasses.replace(row(i, levels, status), method=method) for i, (status, method) in pairs
    ]


def test_every_column_counts_what_cheaper_bounds_certify():
    cells = table({"net": rows()}).splitlines()[-1].split(" | ")
    assert [cell.split()[0] for cell in cells[1:7]] == [
        "4/255",
        "7",
        "85.7",
        "14.3",
        "42.9",
        "57.1",
    ]
    assert cells[7:9] == ["1", "1"]


def test_a_line_for_each_network_and_box():
    lines = table({"a": rows(1) + rows(4), "b": rows(2)}).splitlines()[2:]
    assert [line.split(" | ")[:2] for line in lines] == [
        ["| a", "1/255"],
        ["| a", "4/255"],
        ["| b", "2/255"],
    ]


def test_only_the_last_section_is_written():
    made = section({"a": rows()}, 7, 2.5)
    page = written(f"# Page\n\nwords\n\n{HEAD}\nold\n", made)
    assert page == f"# Page\n\nwords\n\n{made}"
    assert "--samples 7 --budget 2.5`" in page
    with pytest.raises(UsageError, match="no section"):
        written("# Page\n", made)
