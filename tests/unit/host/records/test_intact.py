"""Records that no run can have made are refused before any figure; those that a run makes are let
through.
"""

import numpy as np
import pyarrow as pa
import pytest

from tests.support.runs import synthetic
from tests.support.runs.rows import cell_of
from tinyrobust.core.cells import Cell
from tinyrobust.core.errors import UsageError
from tinyrobust.host.records.intact import MAY_BE_NULL, MOST_PANELS, intact, presentable
from tinyrobust.host.records.schema import SCHEMA

RECORDS = synthetic.table(synthetic.FEW, n=4)


def test_whole_records_are_let_through():
    assert intact(RECORDS).equals(RECORDS)
    assert intact(RECORDS.slice(0, 0)).equals(RECORDS.slice(0, 0))
    assert intact(RECORDS.select(["rung", "sample"])).num_columns == 2


@pytest.mark.parametrize("name", [name for name in SCHEMA.names if name not in MAY_BE_NULL])
def test_an_empty_field_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} has 1 empty"):
        intact(synthetic.change(RECORDS, name, 5, None))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("eps", float("nan"), "eps is not finite"),
        ("sample", -1, "sample goes down to -1"),
        ("label", -2, "label goes down to -2"),
        ("ticks", -5, "ticks goes down to -5"),
        ("logits", [], "without an output"),
        ("logits", [1.0, None, 2.0, 3.0], "logits has empty"),
        ("raw", b"", "raw has other lengths"),
        ("raw", b"\0" * 5, "raw has other lengths"),
    ],
)
def test_a_value_that_no_run_has_is_refused(name, value, says):
    with pytest.raises(ValueError, match=says):
        intact(synthetic.change(RECORDS, name, 5, value))


def test_names_come_printable():
    shown = intact(synthetic.change(RECORDS, "rung", 5, "\x1b[2J"))
    assert shown["rung"][5].as_py() == "?[2J"
    assert shown.schema.equals(SCHEMA)


def test_text_that_is_no_utf8_is_refused():
    broken = pa.array([b"\xff"] * len(RECORDS), pa.binary()).view(pa.string())
    with pytest.raises((ValueError, pa.ArrowException), match="UTF"):
        intact(RECORDS.set_column(0, SCHEMA.field("rung"), broken))


def test_more_panels_than_a_figure_holds_are_one_line():
    few = [
        cell_of(Cell("pgd", "qat", 0.1, seed), "qat", np.zeros(1, int))
        for seed in range(MOST_PANELS + 1)
    ]
    assert presentable(pa.concat_tables(few[:-1])).num_rows == MOST_PANELS
    with pytest.raises(UsageError, match="301 attacks by sources by seeds"):
        presentable(pa.concat_tables(few))
