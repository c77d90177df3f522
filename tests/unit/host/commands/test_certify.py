"""`certify`: nonsense is one line before any work, an interruption keeps what is there, runs are
checked.
"""

import dataclasses
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.support.runs import synthetic
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import Dataset, TensorSpec
from tinyrobust.host import cli
from tinyrobust.host.analysis.certified import summarise, turned
from tinyrobust.host.records.certificates.read import read_rows
from tinyrobust.host.records.certificates.schema import (
    ROWS,
    SCHEMA,
    SUMMARY,
    Certificate,
    Subject,
)
from tinyrobust.host.records.certificates.store import JOURNAL, Certificates
from tinyrobust.host.runs.certify import first

SUBJECT = Subject("m", "ab", "cd", "d", "ef", "auto", 0.0, 1)
ROW = Certificate(0, 4, 3, 3, "certified", "linear", 0.25)


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--eps", "0.001"], "eps 0.001 is below one level of the input: give 1/255"),
        (["--eps", "4/255,0"], "eps 0 is below one level"),
        (["--eps", "1.5"], "eps 1.5"),
        (["--model", "zoo:nonesuch"], "not in the zoo"),
        (["--model", "M.tflite"], "needs --data"),
        (["--samples", "0"], "samples 0"),
        (["--run", "/nonexistent"], "no run here"),
    ],
)
def test_nonsense_is_one_line_before_any_work(argv, says, capsys, tmp_path):
    assert cli.main(["certify", "--out", str(tmp_path), *argv]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    assert says in captured.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "argv",
    [
        ["--levels", "0"],
        ["--levels", "256"],
        ["--levels", "a"],
        ["--levels", "1", "--eps", "1/255"],
        ["--method", "magic"],
        ["--budget", "-1"],
        ["--budget", "nan"],
        ["--eps", "x"],
    ],
)
def test_unreadable_options_are_one_line(argv, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["certify", *argv])
    captured = capsys.readouterr()
    assert (end.value.code, captured.out, captured.err.count("\n")) == (2, "", 1)


def test_rows_outlive_an_interruption(tmp_path):
    with Certificates(tmp_path, SUBJECT) as store:
        store.append([ROW])
        store.append([dataclasses.replace(ROW, sample=1)])
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(b'[2, 4, 3, 3, "cert')  # torn
    with Certificates(tmp_path, SUBJECT) as store:
        assert store.done(4) == {0, 1}
        assert store.done(1) == set()
        store.append([dataclasses.replace(ROW, sample=2, status="undecided")])
        store.finish({"command": "c", "boxes": []})
    assert (tmp_path / JOURNAL).stat().st_size == 0
    assert pq.read_schema(tmp_path / ROWS).equals(SCHEMA, check_metadata=False)
    assert [row.sample for row in read_rows(tmp_path)] == [0, 1, 2]
    assert json.loads((tmp_path / SUMMARY).read_text())["state"] == "complete"
    with Certificates(tmp_path, SUBJECT) as store:
        assert store.rows(4, 2) == [ROW, dataclasses.replace(ROW, sample=1)]


def test_certificates_of_another_subject_are_not_mixed(tmp_path):
    with Certificates(tmp_path, SUBJECT) as store:
        store.append([ROW])
    other = dataclasses.replace(SUBJECT, tflite_sha256="other")
    with (
        pytest.raises(UsageError, match="certificates of another network"),
        Certificates(tmp_path, other),
    ):
        pass


def test_two_at_once_are_refused(tmp_path):
    with (
        Certificates(tmp_path, SUBJECT),
        pytest.raises(UsageError, match="another certify"),
        Certificates(tmp_path, SUBJECT),
    ):
        pass


@pytest.mark.parametrize("line", [b"[1]\n", b"{}\n", b'[0,4,3,3,"sure","linear",1]\n', b"\xff\n"])
def test_a_damaged_journal_is_named(line, tmp_path):
    with Certificates(tmp_path, SUBJECT):
        (tmp_path / JOURNAL).write_bytes(line)
    with pytest.raises(UsageError, match="damaged"), Certificates(tmp_path, SUBJECT):
        pass


def test_shares_count_what_they_say():
    rows = [
        dataclasses.replace(ROW, sample=i, status=status)
        for i, status in enumerate(["certified", "certified", "broken", "undecided", "wrong"])
    ]
    got = summarise(4, rows)
    assert (got.n, got.clean.share, got.certified.share) == (5, 0.8, 0.4)
    assert (got.broken, got.undecided, got.seconds) == (1, 1, 0.25)


def test_the_smallest_turn_of_the_flashed_rung_counts():
    table = synthetic.table(rungs=("float32", "board"))
    found = turned(table, "board")
    rows = [r for r in table.to_pylist() if r["rung"] == "board" and r["predicted"] != r["label"]]
    least = {}
    for row in rows:
        least[row["sample"]] = min(row["linf"], least.get(row["sample"], 999))
    assert {s: t.linf for s, t in found.items()} == least
    assert {t.rung for t in found.values()} == {"board"}


def test_labels_that_cannot_be_are_refused():
    spec = TensorSpec((2,), 1.0, 0)
    q = np.zeros((2, *spec.shape), np.int8)
    data = Dataset("d", q, np.array([0, 3]), "")
    with pytest.raises(UsageError, match="label 3 for a model of 2 outputs"):
        first(data, None, 2)
    assert len(first(data, 1, 2).q) == 1
    with pytest.raises(UsageError, match="no labels"):
        first(dataclasses.replace(data, labels=np.array([0, -1])), None, 4)
