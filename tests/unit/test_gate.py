import xml.etree.ElementTree as ET

import pytest
import synthetic

from host.divergence import divergences
from host.gate import Floor, Gate, check, enforce, junit
from host.metrics import summarise
from host.types import Cell, GateFailed, UsageError

EPS = 16 / 255


@pytest.fixture(scope="module")
def records():
    return synthetic.table()


def answers(gate, records):
    return check(gate, summarise(records, synthetic.manifest()), divergences(records))


def accuracy(records, attack, source, eps):
    rows = summarise(records, synthetic.manifest())
    return next(r.accuracy for r in rows if (r.rung, r.attack, r.source, r.eps) == ("board", attack, source, eps))


def test_a_floor_that_is_just_reached_passes(records):
    clean, robust = accuracy(records, "clean", "-", 0.0), accuracy(records, "pgd", "qat", EPS)
    gate = Gate("board", (Floor("clean", "-", 0.0, clean), Floor("pgd", "qat", EPS, robust)))
    found = answers(gate, records)
    assert [one.passed for one in found] == [True, True, True]
    enforce(found)


def test_a_floor_that_is_just_missed_fails_with_exit_code_1(records):
    robust = accuracy(records, "pgd", "qat", EPS)
    with pytest.raises(GateFailed, match=r"1 of 2 gates failed: board under pgd made on qat at eps 0.06275") as caught:
        enforce(answers(Gate("board", (Floor("pgd", "qat", EPS, robust + 1e-6),)), records))
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)


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
    assert answers(Gate(differing_bytes=None), no_oracle) == []
    assert not answers(Gate(differing_bytes=None, floors=(Floor("pgd", "qat", 0.5, 0.0),)), no_oracle)[0].passed
    unlabelled = synthetic.table(labelled=False)
    assert not answers(Gate(floors=(Floor("clean", "-", 0.0, 0.0),)), unlabelled)[1].passed


def test_the_weakest_seed_counts():
    cells = (Cell("noise", "-", EPS, 0), Cell("noise", "-", EPS, 1))
    records = synthetic.table(cells=cells)
    at = next(
        i
        for i, key in enumerate(zip(*(records[n].to_pylist() for n in ("rung", "seed")), strict=True))
        if key == ("board", 1) and records["predicted"][i] == records["label"][i]
    )
    best = accuracy(records, "noise", "-", EPS)
    worse = synthetic.change(records, "predicted", at, (records["label"][at].as_py() + 1) % synthetic.CLASSES)
    floor = Gate(floors=(Floor("noise", "-", EPS, best),))
    assert answers(floor, records)[1].passed
    assert not answers(floor, worse)[1].passed


def test_junit_counts_and_escapes(records):
    found = answers(Gate("board", (Floor("clean", "-", 0.0, 1.0), Floor("<&\"'>", "-", 0.1, 0.5))), records)
    suite = ET.fromstring(junit(found, "digits <4>")).find("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("name")) == ("3", "2", "digits <4>")
    assert [case.find("failure") is None for case in suite] == [True, False, False]
    assert suite[2].get("name") == "board under <&\"'> at eps 0.1"


@pytest.mark.parametrize("bad", [{"floors": (Floor("pgd", "qat", 0.1, 87.0),)}, {"differing_bytes": -1}])
def test_impossible_gates_are_refused(bad):
    with pytest.raises(UsageError, match="gate:"):
        Gate(**bad)
