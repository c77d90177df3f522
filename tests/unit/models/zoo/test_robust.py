"""Robust accuracies are kept, read back and told in the cards; a damaged file is named."""

from dataclasses import replace

import pytest

from tinyrobust.core.errors import UsageError
from tinyrobust.core.stats import wilson
from tinyrobust.models.zoo.robust import RobustAccuracy, read, section, with_row, write

ROW = RobustAccuracy(2, ("apgd-ce", "apgd-t"), 500, 415, 290, ("apgd-t: noise is as strong",), "ff")


def test_a_row_replaces_that_of_its_budget_and_rows_are_in_order():
    rows = with_row({}, "a", replace(ROW, levels=8, standing=100))
    rows = with_row(rows, "a", replace(ROW, standing=1))
    rows = with_row(with_row(rows, "a", ROW), "b", ROW)
    assert rows == {"a": (ROW, replace(ROW, levels=8, standing=100)), "b": (ROW,)}


def test_figures_are_kept(tmp_path):
    path = tmp_path / "robust.json"
    assert read(path) == {}
    rows = {"b": (ROW,), "a": (replace(ROW, flags=()), replace(ROW, levels=8))}
    write(rows, path)
    assert read(path) == rows
    assert [p.name for p in tmp_path.iterdir()] == ["robust.json"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"a": 1}', '{"a": [1]}', '{"a": [{"levels": 2}]}', '{"a": [{"attacks": []}]}'],
)
def test_a_damaged_file_is_one_line(tmp_path, text):
    path = tmp_path / "robust.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"robust\.json: no file of robust accuracies"):
        read(path)


def test_the_table_has_both_shares_with_their_intervals():
    head, line = section({"a": (ROW,)})
    low, high = wilson(290, 500)
    columns = head.splitlines()[-2].strip("| ").split(" | ")
    cells = dict(zip(columns, line.strip("| ").split(" | "), strict=True))
    assert cells["network"] == "a"
    assert cells["eps"] == "2/255"
    assert cells["attacks"] == "`apgd-ce`, `apgd-t`"
    assert cells["undisturbed"].startswith("83.0% [")
    assert cells["robust"] == f"58.0% [{low:.1%}, {high:.1%}]"
    assert cells["n"] == "500"
    assert cells["flags"] == "apgd-t: noise is as strong"
    assert section({"a": (replace(ROW, flags=()),)})[1].endswith("| none |")
    assert section({}) == []


@pytest.mark.parametrize("bad", [{"standing": 416}, {"clean": 501}, {"standing": -1}])
def test_more_standing_than_right_is_refused(bad):
    with pytest.raises(ValueError, match="some stand"):
        replace(ROW, **bad)
