"""Two runs side by side: equal and differing bytes, what cannot be compared, and the command's exit codes."""

import dataclasses
import json

import pytest

from host.cli import main
from host.compare import compare
from host.types import UsageError
from tests.unit.synthetic import change, manifest, run_folder, table


def folder(path, records=None, **changes):
    path.mkdir()
    facts = {"engine": path.name, "arena_bytes": "100", "scratch_bytes": "28", "flash_bytes": "5000"}
    return run_folder(path, records, board_info=tuple(facts.items()), **changes)


@pytest.fixture
def two(tmp_path):
    return folder(tmp_path / "one"), folder(tmp_path / "two")


def test_equal_bytes_and_what_each_costs(two, capsys):
    found = compare(*two)
    assert (found.differing_bytes, found.differing_samples, found.first) == (0, 0, "")
    assert (found.a.engine, found.b.engine) == ("one", "two")
    assert (found.a.arena_bytes, found.a.flash_bytes, found.a.rung) == (128, 5000, "board")
    assert found.inputs == found.a.samples == found.b.samples
    assert main(["compare", *map(str, two), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(dataclasses.asdict(found)))
    assert main(["compare", *map(str, two)]) == 0
    assert "0 of" in capsys.readouterr().out


def test_one_byte_that_differs_is_found_and_fails(tmp_path):
    records = table()
    at = next(i for i, rung in enumerate(records["rung"].to_pylist()) if rung == "board")
    raw = bytearray(records["raw"][at].as_py())
    raw[1] ^= 1
    a, b = folder(tmp_path / "one", table()), folder(tmp_path / "two", change(records, "raw", at, bytes(raw)))
    found = compare(a, b)
    assert (found.differing_bytes, found.differing_samples) == (1, 1)
    assert found.first.endswith(f"sample {records['sample'][at].as_py()}")
    assert main(["compare", str(a), str(b)]) == 1


def test_other_networks_and_runs_without_a_device_are_refused(two, tmp_path):
    other = folder(tmp_path / "three", tflite_sha256="another")
    with pytest.raises(UsageError, match="ran different networks"):
        compare(two[0], other)
    bare = folder(tmp_path / "four", table(rungs=("float32", "tflm")))
    with pytest.raises(UsageError, match="no records of a device"):
        compare(two[0], bare)
    assert manifest().tflite_sha256 != "another"
