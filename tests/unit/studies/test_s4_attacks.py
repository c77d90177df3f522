"""The page of the study of ten attacks: which presets, which columns, and what is left out where a
rung is missing.
"""

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.support.runs import synthetic
from tinyrobust.attacks.registry import groups
from tinyrobust.core.cells import Cell
from tinyrobust.host.analysis.distances import distances
from tinyrobust.host.analysis.metrics import summarise
from tinyrobust.studies.runs import largest
from tinyrobust.studies.s4_attacks import SAMPLES, Line, command, finished, page, tables


@pytest.fixture(scope="module")
def found():
    cells = (
        Cell("clean", "-", 0.0),
        Cell("pgd", "float32", 8 / 255),
        Cell("deepfool", "float32", 1.0),
    )
    table, manifest = synthetic.table(cells), synthetic.manifest()
    far = {(d.rung, d.attack): d for d in distances(table, manifest)}
    names = {"float32": "float32", "tflm": "int8"}
    return [
        Line(names[r.rung], r, far.get((r.rung, r.attack)))
        for r in summarise(table, manifest)
        if r.rung in names
    ]


def test_every_preset_of_the_paper_is_measured_once():
    assert set(SAMPLES) == set(groups()["s4"])


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


def test_the_page_says_what_makes_it_and_what_was_not_run(found):
    text = page(
        found, "native", "python -m tinyrobust.studies.s4_attacks --samples 9", ["zoo-s4 on int16"]
    )
    assert "Made by `python -m tinyrobust.studies.s4_attacks --samples 9`" in text
    assert "Not run: zoo-s4 on int16." in text


def test_the_command_of_the_page_has_the_attacks_that_were_asked_for():
    args = Namespace(samples=9, board="native", attacks="ead-s4,pgd-s4", out=Path("/nowhere"))
    assert (
        command(args)
        == "python -m tinyrobust.studies.s4_attacks --board native --samples 9 --attacks "
        "ead-s4,pgd-s4"
    )
    args.attacks = args.samples = None
    assert command(args) == "python -m tinyrobust.studies.s4_attacks --board native"


def write(folder, created, samples=200, state="complete", attacks=("clean", "pgd")):
    run = folder / f"resnet8-ptq-native-{created}"
    run.mkdir()
    manifest = replace(
        synthetic.manifest(), model="resnet8-ptq", attacks=attacks, samples=samples, created=created
    )
    (run / "manifest.json").write_text(replace(manifest, state=state).to_json())
    cells = (Cell("clean", "-", 0.0), *(Cell(name, "float32", 8 / 255) for name in ("pgd", "fgsm")))
    pq.write_table(synthetic.table(cells), run / "records.parquet")
    return run


def test_a_page_is_read_from_the_complete_runs_on_most_samples(tmp_path):
    write(tmp_path, "3", state="running")
    wanted = write(tmp_path, "2", attacks=("clean", "pgd", "fgsm"))
    for created, samples in (("1", 200), ("4", 100)):
        write(tmp_path, created, samples)
    assert largest(tmp_path, "resnet8-ptq", "pgd") == wanted
    found, missing = finished(tmp_path, ("pgd",))
    assert {(line.rung, line.row.attack) for line in found} == {
        (rung, attack) for rung in ("float32", "int8") for attack in ("clean", "pgd")
    }
    assert missing == ["pgd on int16"]
