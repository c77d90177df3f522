import csv
import html.parser
import re
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.runs import synthetic
from tinyrobust.core.cells import Cell, Flag, FlagKind
from tinyrobust.core.errors import UsageError
from tinyrobust.host.analysis.flags import ADVICE
from tinyrobust.host.analysis.worst_case import worst_cases
from tinyrobust.host.records.read import read_run
from tinyrobust.host.records.schema import RungInfo
from tinyrobust.host.report.page import write_report


class Text(html.parser.HTMLParser):
    """The words of a page, and every tag that loads something."""

    def __init__(self):
        super().__init__()
        self.words, self.loads = [], []

    def handle_data(self, data):
        self.words.append(data)

    def handle_starttag(self, tag, attrs):
        self.loads += [
            v for k, v in attrs if k in ("src", "href", "xlink:href") and v and v[0] != "#"
        ]


def read(page):
    text = Text()
    text.feed(page.read_text(encoding="utf-8"))
    return re.sub(r"\s+", " ", " ".join(text.words)), text.loads


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return write_report(
        synthetic.run_folder(tmp_path_factory.mktemp("whole"), synthetic.table(), pictures=True)
    )


def test_the_report_is_whole(report):
    words, loads = read(report.html)
    assert "board and tflm agree on every byte: 3,400 of 3,400 outputs, 13,600 bytes." in words
    for piece in (
        "The ladder",
        "Curves",
        "What the chip was shown",
        "pgd made on qat",
        "0x410fc271",
        "ef" * 8,
    ):
        assert piece in words
    assert all(load.startswith("data:") for load in loads), "the page must load nothing"
    for path in (
        report.csv,
        report.curves_svg,
        report.curves_png,
        report.examples_svg,
        report.examples_png,
    ):
        assert path.stat().st_size > 500


def test_the_summary_has_a_line_for_every_row(report):
    with report.csv.open() as file:
        lines = list(csv.DictReader(file))
    worst = [line for line in lines if line["attack"] == "worst-case"]
    assert len(lines) - len(worst) == 4 * len(synthetic.CELLS)
    assert lines[: len(worst)] == worst
    assert len(worst) == 4 * len(synthetic.EPS)
    whole = worst_cases(synthetic.table(), synthetic.manifest())[-1]
    last = worst[-1]
    assert (last["rung"], last["correct"], last["levels"]) == (
        "board",
        str(whole.flashed.standing),
        "",
    )
    assert float(last["low"]) == whole.flashed.low
    board = next(
        x
        for x in lines
        if (x["rung"], x["attack"], x["source"], x["levels"]) == ("board", "pgd", "qat", "16")
    )
    assert float(board["accuracy"]) == int(board["correct"]) / int(board["n"])
    assert board["differing_bytes"] == "0"
    assert next(x for x in lines if x["rung"] == "qat")["differing_bytes"] == ""


def test_robust_accuracy_is_the_first_thing_on_the_page(report):
    whole = worst_cases(synthetic.table(), synthetic.manifest())[-1].flashed
    text = read(report.html)[0]
    share = f"{100 * whole.accuracy:.1f} % [{100 * whole.low:.1f}, {100 * whole.high:.1f}]"
    assert text.index("Robust accuracy") < text.index(share) < text.index("The ladder")


def test_the_same_folder_gives_the_same_bytes(report, tmp_path):
    again = write_report(synthetic.run_folder(tmp_path, synthetic.table(), pictures=True))
    assert again.html.read_bytes() == report.html.read_bytes()
    assert again.csv.read_bytes() == report.csv.read_bytes()


def test_emulated_ticks_are_never_time(report, tmp_path):
    assert "1,000 emulated ticks, not time" in read(report.html)[0]
    emulated = write_report(synthetic.run_folder(tmp_path, tick_unit="cycles"))
    assert not re.search(r"[\d,.]+ (cycles|ms)\b", read(emulated.html)[0])


def test_a_real_board_counts_in_its_own_unit(tmp_path):
    real = write_report(synthetic.run_folder(tmp_path, emulated=False, tick_unit="cycles"))
    assert "1,000 cycles (median of 400)" in read(real.html)[0]


def test_one_differing_byte_is_the_first_thing_said(tmp_path):
    records = synthetic.table(synthetic.FEW)
    at = synthetic.row_of(records, "board", Cell("pgd", "qat", 16 / 255), 5)
    raw = bytearray(records["raw"][at].as_py())
    raw[1] ^= 2
    page = write_report(
        synthetic.run_folder(tmp_path, synthetic.change(records, "raw", at, bytes(raw)))
    ).html
    said = "board differs from tflm on 1 of 400 outputs (1 of 1,600 bytes, by up to 2 levels)"
    words, _ = read(page)
    assert said in words
    assert words.index(said) < words.index("The ladder")
    assert 'class="verdict bad"' in page.read_text()


def test_inputs_that_differ_are_no_comparison(tmp_path):
    records = synthetic.table(synthetic.FEW)
    at = synthetic.row_of(records, "board", Cell("clean", "-", 0.0), 5)
    page = write_report(
        synthetic.run_folder(tmp_path, synthetic.change(records, "input_crc", at, 1))
    ).html
    assert "fed different bytes on 1 inputs" in read(page)[0]


def test_a_run_without_oracle_says_why(tmp_path):
    rungs = (RungInfo("tflm", False, "no wheel for this machine"), RungInfo("board", True))
    records = synthetic.table(synthetic.FEW, rungs=("float32", "board"))
    folder = synthetic.run_folder(tmp_path, records)
    (folder / "manifest.json").write_text(
        synthetic.manifest(rungs=()).to_json().replace('"rungs": []', _json(rungs))
    )
    words, _ = read(write_report(folder).html)
    assert "Bytes not compared: tflm was not available (no wheel for this machine)." in words


def _json(rungs):
    import dataclasses
    import json

    return f'"rungs": {json.dumps([dataclasses.asdict(rung) for rung in rungs])}'


def test_suspect_attacks_stand_on_top_with_what_to_try(tmp_path):
    cell = Cell("pgd", "qat", 16 / 255)
    flag = Flag(FlagKind.MASKED_GRADIENTS, cell, "zero on <all> pixels")
    words, _ = read(write_report(synthetic.run_folder(tmp_path, flags=(flag,))).html)
    assert "gradients zero or masked: 1 time pgd made on qat, 16/255: zero on <all> pixels" in words
    assert f"Try: {ADVICE[flag.kind]}." in words
    assert words.index("Suspect attacks") < words.index("The ladder")


def test_smallest_perturbations_have_a_table_a_figure_and_no_curve(tmp_path):
    cells = (Cell("clean", "-", 0.0), Cell("deepfool", "qat", 1.0))
    paths = write_report(synthetic.run_folder(tmp_path, synthetic.table(cells)))
    words, _ = read(paths.html)
    assert "Distance to the boundary" in words
    assert "smallest L2" in words
    assert paths.curves_svg is None
    assert paths.distances_svg.stat().st_size > 500
    with (paths.html.parent / "distances.csv").open() as file:
        assert {line["rung"] for line in csv.DictReader(file)} == set(synthetic.DAMAGE)


def test_data_without_labels_shows_no_accuracy(tmp_path):
    words, _ = read(
        write_report(
            synthetic.run_folder(tmp_path, synthetic.table(synthetic.FEW, labelled=False), (640,))
        ).html
    )
    assert "no labels, so there is no accuracy" in words
    assert "Suspect attacks" not in words
    assert "Wilson interval in %" not in words
    assert "agree on every byte" in words


def test_an_interrupted_run_is_reported_as_one(tmp_path):
    records = synthetic.table()
    paths = write_report(synthetic.run_folder(tmp_path, records.slice(0, 1234), state="running"))
    assert "not complete: the figures cover the 1,234 predictions" in read(paths.html)[0]
    assert paths.examples_png is None


def test_a_run_without_records_still_has_a_page(tmp_path):
    paths = write_report(
        synthetic.run_folder(tmp_path, synthetic.table().slice(0, 0), state="running")
    )
    assert paths.curves_svg is None
    assert "Bytes not compared" in read(paths.html)[0]


def test_names_cannot_inject(tmp_path):
    evil = "<script>alert(1)</script>"
    folder = synthetic.run_folder(
        tmp_path, model=evil, class_names=(evil,) * 4, notes=(evil,), board_info=((evil, evil),)
    )
    page = write_report(folder).html.read_text()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 5


def test_a_folder_that_is_no_run_is_refused_in_one_line(tmp_path):
    cases = {"empty": None, "broken": "{", "foreign": "[]"}
    for name, text in cases.items():
        folder = tmp_path / name
        folder.mkdir()
        if text is not None:
            (folder / "manifest.json").write_text(text)
        with pytest.raises(UsageError, match=name) as caught:
            write_report(folder)
        assert "\n" not in str(caught.value)


def test_broken_or_foreign_records_are_refused(tmp_path):
    folder = synthetic.run_folder(tmp_path)
    whole = (folder / "records.parquet").read_bytes()
    (folder / "records.parquet").write_bytes(whole[:-100])
    with pytest.raises(UsageError, match="run"):
        write_report(folder)
    pq.write_table(synthetic.table().drop_columns(["linf"]), folder / "records.parquet")
    with pytest.raises(UsageError, match="not this version's columns"):
        write_report(folder)
    assert not (folder / "report.html").exists()


def test_records_of_a_version_without_targets_and_with_small_levels_are_read(tmp_path):
    folder = synthetic.run_folder(tmp_path)
    now = read_run(folder)[1]
    older = now.drop_columns(["l1", "target"])
    for name in ("levels", "linf"):
        at = older.schema.get_field_index(name)
        older = older.set_column(at, pa.field(name, pa.int16()), older[name].cast(pa.int16()))
    pq.write_table(older, folder / "records.parquet")
    found = read_run(folder)[1]
    assert found.schema.equals(now.schema)
    assert found["levels"].equals(now["levels"])
    assert set(found["target"].to_pylist()) == {-1}
    assert found["l1"].null_count == len(found)


def test_how_many_samples_were_moved_to_their_target_is_on_the_page_and_in_the_table(tmp_path):
    table = synthetic.table()
    at = table.schema.get_field_index("target")
    aimed = pa.array([2 if one == "pgd" else -1 for one in table["attack"].to_pylist()], pa.int32())
    table = table.set_column(at, table.schema.field(at), aimed)
    folder = synthetic.run_folder(tmp_path, table, target="2")
    words, _ = read(write_report(folder).html)
    assert "Moved to their target" in words
    with (folder / "summary.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["to_target"]]
    assert {row["attack"] for row in rows} == {"pgd"}
    for row in rows:
        reached, n = int(row["to_target"]), int(row["to_target_n"])
        assert float(row["to_target_share"]) == pytest.approx(reached / n)
        assert float(row["to_target_low"]) <= reached / n <= float(row["to_target_high"])


def test_the_report_imports_no_tensorflow_and_runs_nothing():
    banned = "('tensorflow', 'models', 'attacks', 'serial')"
    code = (
        f"import tinyrobust.host.report.page, sys; sys.exit(any(m.split('.')[0] in "
        f"{banned} or m == 'tinyrobust.host.runs.execute' for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
