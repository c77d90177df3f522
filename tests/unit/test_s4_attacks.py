"""The page of the study of ten attacks: which presets, which columns, and what is left out where a rung is missing."""

import pytest
import synthetic

from attacks.groups import groups
from host.distances import distances
from host.metrics import summarise
from host.types import Cell
from studies.s4_attacks import FEW, MANY, Line, page, tables


@pytest.fixture(scope="module")
def found():
    cells = (Cell("clean", "-", 0.0), Cell("pgd", "float32", 8 / 255), Cell("deepfool", "float32", 1.0))
    table, manifest = synthetic.table(cells), synthetic.manifest()
    far = {(d.rung, d.attack): d for d in distances(table, manifest)}
    names = {"float32": "float32", "tflm": "int8"}
    return [Line(names[r.rung], r, far.get((r.rung, r.attack))) for r in summarise(table, manifest) if r.rung in names]


def test_every_preset_of_the_paper_is_measured_once():
    assert sorted((*MANY, *FEW)) == sorted(groups()["s4"])


def test_one_line_for_each_cell_and_a_dash_for_a_rung_that_is_not_there(found):
    lines = tables(found)
    pgd = next(line for line in lines if line.startswith("| pgd | float32 | 8/255 | 200 |"))
    float32, int16, int8 = pgd.strip("| ").split(" | ")[4:]
    assert (int16, "[" in float32, "[" in int8) == ("-", True, True)


def test_distances_stand_in_a_table_of_their_own(found):
    lines = tables(found)
    second = lines[lines.index("") + 1 :]
    assert [line for line in second if line.startswith("| deepfool | float32 | L2 | 200 |")]
    assert not [line for line in second if line.startswith("| pgd")]


def test_the_page_says_what_makes_it(found):
    assert "Made by `python -m studies.s4_attacks --few 9`" in page(
        found, "native", "python -m studies.s4_attacks --few 9"
    )
