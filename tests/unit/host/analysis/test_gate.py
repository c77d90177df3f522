import dataclasses
import xml.etree.ElementTree as ET

import pytest

from tests.support.runs import synthetic
from tinyrobust.core.cells import Cell
from tinyrobust.core.errors import GateFailed, UsageError
from tinyrobust.host import cli
from tinyrobust.host.analysis.divergence import divergences
from tinyrobust.host.analysis.gate import check, enforce, junit
from tinyrobust.host.analysis.metrics import summarise
from tinyrobust.host.analysis.worst_case import worst_cases
from tinyrobust.host.config.floors import Floor, Gate
from tinyrobust.host.records.schema import RungInfo

EPS = 16 / 255


@pytest.fixture(scope="module")
def records():
    return synthetic.table()


def answers(gate, records, **manifest):
    stated = synthetic.manifest(**manifest)
    rows, worst = summarise(records, stated), worst_cases(records, stated)
    whole, *found = check(gate, rows, divergences(records), stated, worst=worst)
    assert whole.passed
    return found


def accuracy(records, attack, source, eps):
    rows = summarise(records, synthetic.manifest())
    return next(
        r.accuracy
        for r in rows
        if (r.rung, r.attack, r.source, r.eps) == ("board", attack, source, eps)
    )


def test_a_floor_that_is_just_reached_passes(records):
    clean, robust = accuracy(records, "clean", "-", 0.0), accuracy(records, "pgd", "qat", EPS)
    gate = Gate("board", (Floor("clean", clean), Floor("pgd", robust, "qat", EPS)))
    found = answers(gate, records)
    assert [one.passed for one in found] == [True, True, True]
    enforce(found)


def test_a_floor_that_is_just_missed_fails_with_exit_code_1(records):
    robust = accuracy(records, "pgd", "qat", EPS)
    with pytest.raises(
        GateFailed, match=r"1 of 2 gates failed: board under pgd made on qat at eps 0.06275"
    ) as caught:
        enforce(answers(Gate("board", (Floor("pgd", robust + 1e-6, "qat", EPS),)), records))
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)


def test_a_floor_without_an_attack_is_one_of_robust_accuracy(records):
    worst = worst_cases(records, synthetic.manifest())[-1]
    least = min(accuracy(records, "pgd", source, EPS) for source in ("float32", "qat"))
    assert worst.flashed.accuracy <= least
    reached, missed = (
        answers(Gate("board", (Floor("", worst.flashed.accuracy + more, eps=EPS),)), records)[1]
        for more in (0.0, 1e-6)
    )
    assert (reached.passed, missed.passed) == (True, False)
    assert reached.name == "robust accuracy on board at eps 0.06275"
    assert not answers(Gate("board", (Floor("", 0.0, eps=0.5),)), records)[1].passed


def test_one_differing_byte_fails(records):
    at = synthetic.row_of(records, "board", Cell("pgd", "qat", EPS), 3)
    raw = bytearray(records["raw"][at].as_py())
    raw[0] ^= 1
    bad = synthetic.change(records, "raw", at, bytes(raw))
    assert not answers(Gate(), bad)[0].passed
    assert answers(Gate(differing_bytes=1), bad)[0].passed


def test_different_inputs_fail_whatever_the_outputs(records):
    at = synthetic.row_of(records, "board", Cell("pgd", "qat", EPS), 3)
    assert not answers(Gate(), synthetic.change(records, "input_crc", at, 1))[0].passed


def test_what_was_not_measured_fails():
    no_oracle = synthetic.table(rungs=("float32", "board"))
    assert not answers(Gate(), no_oracle)[0].passed
    assert not answers(Gate(floors=(Floor("pgd", 0.0, "qat", 0.5),)), no_oracle)[1].passed
    unlabelled = synthetic.table(labelled=False)
    assert not answers(Gate(floors=(Floor("clean", 0.0),)), unlabelled)[1].passed


def test_a_machine_without_oracle_passes_unless_bytes_are_asked_for():
    records = synthetic.table(rungs=("float32", "board"))
    rungs = (RungInfo("tflm", False, "no wheel"),)
    stated = synthetic.manifest(rungs=())
    stated = dataclasses.replace(stated, rungs=rungs)
    rows, found = summarise(records, stated), divergences(records)
    assert "no wheel" in check(Gate(), rows, found, stated)[1].detail
    enforce(check(Gate(), rows, found, stated))
    assert not check(Gate(differing_bytes=0), rows, found, stated)[1].passed


def test_an_interrupted_run_fails(records):
    stated = synthetic.manifest(state="running")
    assert not check(Gate(), summarise(records, stated), divergences(records), stated)[0].passed


def test_the_command_exits_1_and_writes_junit(tmp_path, capsys):
    run = synthetic.run_folder(tmp_path, synthetic.table())
    config, xml = tmp_path / "bench.toml", tmp_path / "gate.xml"
    assert cli.main(["gate", str(run)]) == 0
    assert "pass  board equals tflm: 0 of 13600 bytes differ" in capsys.readouterr().out
    config.write_text(
        '[[gate.floors]]\nattack = "pgd"\nsource = "qat"\neps = "16/255"\naccuracy = 0.99\n'
    )
    assert cli.main(["gate", str(run), "--config", str(config), "--junit", str(xml)]) == 1
    captured = capsys.readouterr()
    assert "FAIL  board under pgd made on qat" in captured.out
    assert captured.err.startswith("tinyrobust: error: 1 of 3 gates failed: board under pgd")
    assert captured.err.count("\n") == 1
    assert ET.parse(xml).find("testsuite").get("failures") == "1"
    assert cli.main(["gate", str(tmp_path)]) == 2


def test_the_weakest_seed_counts():
    cells = (Cell("noise", "-", EPS, 0), Cell("noise", "-", EPS, 1))
    records = synthetic.table(cells=cells)
    at = next(
        i
        for i, key in enumerate(
            zip(*(records[n].to_pylist() for n in ("rung", "seed")), strict=True)
        )
        if key == ("board", 1) and records["predicted"][i] == records["label"][i]
    )
    best = accuracy(records, "noise", "-", EPS)
    worse = synthetic.change(
        records, "predicted", at, (records["label"][at].as_py() + 1) % synthetic.CLASSES
    )
    floor = Gate(floors=(Floor("noise", best, "-", EPS),))
    assert answers(floor, records)[1].passed
    assert not answers(floor, worse)[1].passed


def test_junit_counts_and_escapes(records):
    found = answers(Gate("board", (Floor("clean", 1.0), Floor("<&\"'>", 0.5, "-", 0.1))), records)
    suite = ET.fromstring(junit(found, "digits <4>")).find("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("name")) == (
        "3",
        "2",
        "digits <4>",
    )
    assert [case.find("failure") is None for case in suite] == [True, False, False]
    assert suite[2].get("name") == "board under <&\"'> at eps 0.1"


@pytest.mark.parametrize(
    "bad", [{"floors": (Floor("pgd", 87.0, "qat", 0.1),)}, {"differing_bytes": -1}]
)
def test_impossible_gates_are_refused(bad):
    with pytest.raises(UsageError, match="gate:"):
        Gate(**bad)
