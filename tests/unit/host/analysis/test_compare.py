"""Two runs side by side: equal and differing bytes, what cannot be compared, and the command's exit
codes.
"""

import dataclasses
import json

import numpy as np
import pytest

from tests.support.runs.synthetic import change, manifest, run_folder, table
from tinyrobust.core.errors import UsageError
from tinyrobust.host.analysis.compare import compare
from tinyrobust.host.cli import main


def folder(path, records=None, said=None, **changes):
    path.mkdir()
    facts = {
        "engine": path.name,
        "arena_bytes": "100",
        "scratch_bytes": "28",
        "flash_bytes": "5000",
    }
    facts |= {"plan_bytes": "23456", "plan_in_ram": "1", "clock_hz": "25000000", **(said or {})}
    return run_folder(path, records, board_info=tuple(facts.items()), **changes)


@pytest.fixture
def two(tmp_path):
    return folder(tmp_path / "one"), folder(tmp_path / "two")


def test_equal_bytes_and_what_each_costs(two, capsys):
    found = compare(*two)
    assert (found.differing_bytes, found.differing_samples, found.first) == (0, 0, "")
    assert (found.a.engine, found.b.engine) == ("one", "two")
    assert (found.a.arena_bytes, found.a.network_bytes, found.a.rung) == (128, 23456, "board")
    assert found.inputs == found.a.samples == found.b.samples
    assert main(["compare", *map(str, two), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(dataclasses.asdict(found)))
    assert main(["compare", *map(str, two)]) == 0
    assert "0 of" in capsys.readouterr().out


def test_flash_is_of_the_same_thing_and_counts_are_instructions(tmp_path, capsys):
    """One engine was sent its plan, the other has a .tflite linked in, and the timer ticks 1.6
    times an instruction.
    """
    linked = {"plan_bytes": "200", "plan_in_ram": "0", "flash_bytes": "60000"}
    a = folder(tmp_path / "one", tick_unit="cmsdk_timer")
    b = folder(tmp_path / "two", said=linked, tick_unit="cmsdk_timer")
    found = compare(a, b)
    assert (found.a.network_bytes, found.a.flash_bytes) == (23456, 5000 + 23456)
    assert (found.b.network_bytes, found.b.flash_bytes) == (200 + 12345, 60000)
    ticks = np.percentile([t for t in table()["ticks"].to_pylist() if t is not None], (50, 5, 95))
    assert (found.a.unit, found.a.counts) == ("instructions", pytest.approx(ticks / 1.6))
    assert main(["compare", str(a), str(b)]) == 0
    said = capsys.readouterr().out
    assert f"{60000 / 28456:.2f}" in said
    assert f"{ticks[0] / 1.6:,.0f} [" in said
    linked_too = compare(
        folder(tmp_path / "three", said={"plan_in_ram": "0", "flash_bytes": "28472"}), a
    )
    assert (linked_too.a.network_bytes, linked_too.a.flash_bytes) == (23456, 28472)


def test_one_byte_that_differs_is_found_and_fails(tmp_path):
    records = table()
    at = next(i for i, rung in enumerate(records["rung"].to_pylist()) if rung == "board")
    raw = bytearray(records["raw"][at].as_py())
    raw[1] ^= 1
    a, b = (
        folder(tmp_path / "one", table()),
        folder(tmp_path / "two", change(records, "raw", at, bytes(raw))),
    )
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
