"""Distances to the boundary: whose, in which units, and how they are drawn and stored."""

import csv
import io

import numpy as np
import pyarrow as pa
import pytest

from tests.support.runs import synthetic
from tests.support.runs.rows import cell_of
from tinyrobust.core.cells import Cell
from tinyrobust.host.analysis.distances import Quartiles, distances, quartiles
from tinyrobust.host.records.schema import SCHEMA
from tinyrobust.host.report.distance_plots import distributions
from tinyrobust.host.report.tables import distances_csv

CELL = Cell("deepfool", "qat", 1.0)
CLEAN = Cell("clean", "-", 0.0)
L2 = np.arange(1, 9) / 10
RIGHT = np.array([0, 0, 0, 0, 0, 0, 1, 1])
"""Predictions for the clean samples, whose label is 0: the last two are wrong."""
FOOLED = np.array([1, 1, 1, 0, 0, 1, 1, 0])


def run(l2=L2, fooled=FOOLED, clean=RIGHT, cell=CELL, level=51):
    return pa.concat_tables(
        [
            cell_of(CLEAN, "board", clean),
            cell_of(cell, "board", fooled, level=level, l2=l2),
            cell_of(CLEAN, "qat", np.ones(8)),
            cell_of(cell, "qat", np.ones(8), level=level, l2=l2),
        ]
    )


def test_only_samples_right_when_clean_count_and_survivors_are_infinitely_far():
    (board,) = distances(run(), synthetic.manifest())
    assert (board.rung, board.n, board.reached) == ("board", 6, 4)
    assert board.l2.tolist() == pytest.approx([0.1, 0.2, 0.3, np.inf, np.inf, 0.6])
    assert board.linf[:3].tolist() == pytest.approx([0.2] * 3)
    assert board.l0[:3].tolist() == [3, 3, 3]
    assert np.array_equal(board.own, board.l2)


def test_an_attack_that_minimises_l1_has_its_distance_in_l1_and_in_l2_where_that_was_not_kept():
    table, manifest = run(cell=Cell("ead", "qat", 1.0)), synthetic.manifest()
    (board,) = distances(table, manifest)
    assert (board.shown, np.array_equal(board.own, 2 * board.l2)) == ("l1", True)
    at = SCHEMA.get_field_index("l1")
    (board,) = distances(
        table.set_column(at, SCHEMA.field(at), pa.nulls(len(table), pa.float32())), manifest
    )
    assert (board.shown, np.array_equal(board.own, board.l2)) == ("l2", True)


@pytest.mark.parametrize(
    ("values", "cut"),
    [
        ([1, 2, 3, 4], (1, 2, 3)),
        ([1, np.inf, np.inf, np.inf], (1, None, None)),
        ([np.inf], (None, None, None)),
        ([3, 1, 2, np.inf], (1, 2, 3)),
    ],
)
def test_quartiles_of_what_was_not_reached_are_none(values, cut):
    assert quartiles(np.array(values, float)) == Quartiles(*cut)


def test_bounded_attacks_and_unlabelled_data_have_no_distances():
    assert distances(synthetic.table(), synthetic.manifest()) == []
    unlabelled = cell_of(CLEAN, "board", RIGHT, labels=np.full(8, -1))
    table = pa.concat_tables([unlabelled, cell_of(CELL, "board", FOOLED, labels=np.full(8, -1))])
    assert distances(table, synthetic.manifest()) == []


def test_the_table_is_in_range_units_and_in_levels():
    found = distances(run(), synthetic.manifest())
    (line,) = csv.DictReader(io.StringIO(distances_csv(found)))
    assert (line["n"], line["reached"], line["norm"]) == ("6", "4", "l2")
    assert float(line["l2_median"]) == pytest.approx(0.3)
    assert float(line["l2_levels_median"]) == pytest.approx(0.3 * 255)
    assert float(line["linf_levels_q25"]) == pytest.approx(51)
    assert line["l2_q75"] == ""


def test_the_figure_ends_at_the_share_reached():
    figure = distributions(distances(run(), synthetic.manifest()))
    (axis,) = [axis for axis in figure.axes if axis.get_visible()]
    assert axis.get_title() == "deepfool made on qat"
    (line,) = axis.get_lines()
    assert line.get_label() == "board"
    assert line.get_ydata()[-1] == pytest.approx(4 / 6)
    assert line.get_xdata().tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.6])
    assert distributions([]) is None


def test_samples_that_are_their_target_already_have_no_distance():
    table = run()
    at = table.schema.get_field_index("target")
    wanted = [
        0 if name == "deepfool" and sample < 2 else 3
        for name, sample in zip(
            table["attack"].to_pylist(), table["sample"].to_pylist(), strict=True
        )
    ]
    aimed = table.set_column(at, SCHEMA.field(at), pa.array(wanted, pa.int32()))
    (whole,), (left,) = (distances(one, synthetic.manifest()) for one in (table, aimed))
    assert left.n == whole.n - 2
