"""Rounded scores against the oracle's outputs: agreement, ties, and what the report and the gate make of them."""

import numpy as np
import pyarrow as pa
import pytest

from host.floors import Gate
from host.gate import check
from host.records import SCHEMA
from host.scores import CUT, NEAREST, agreements, cut, nearest
from host.verdict import verdict
from tests.unit.synthetic import manifest

REAL = (np.array([[255, 1, 0], [16, 120, 120], [48, 7, 201]], np.float32) / 256).astype(np.float32)
OURS = manifest(protocol="mlperf-tiny", state="complete")


def rows(rung, logits, raw=None, crc=0):
    n = len(logits)
    given = {"rung": [rung] * n, "attack": ["clean"] * n, "source": ["-"] * n, "eps": [0.0] * n, "seed": [0] * n,
             "sample": range(n), "label": [0] * n, "predicted": [0] * n, "input_crc": [crc] * n,
             "logits": [row.tolist() for row in logits], "raw": raw}  # fmt: skip
    arrays = [pa.nulls(n, f.type) if given.get(f.name) is None else pa.array(given[f.name], f.type) for f in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def table(said, crc=0):
    return pa.concat_tables([rows("tflm", REAL, [b"abc"] * len(REAL)), rows("board", np.float32(said), crc=crc)])


def rounded(how):
    return how(REAL) / 1000


@pytest.mark.parametrize("name", [NEAREST, CUT])
def test_either_rounding_agrees_when_it_holds_throughout(name):
    (one,) = agreements(table(rounded({NEAREST: nearest, CUT: cut}[name])))
    assert (one.rung, one.samples, one.scores, one.differing_scores, one.rounding) == ("board", 3, 9, 0, name)
    assert one.ties == 1
    good, tie = verdict([], OURS, [one])
    assert (good.state, tie.state) == ("good", "open")
    assert name in good.text
    assert "1 of 3 outputs tie" in tie.text
    assert all(c.passed for c in check(Gate(), [row()], [], OURS, [one]))
    assert not all(c.passed for c in check(Gate(differing_bytes=0), [row()], [], OURS, [one]))


def row():
    """What the gate takes the name of the device from."""
    return type("Row", (), {"rung": "board"})()


def test_a_mixture_of_both_does_not():
    mixed = rounded(nearest)
    mixed[0] = cut(REAL)[0] / 1000
    (one,) = agreements(table(mixed))
    assert (one.differing_samples, one.largest, one.rounding) == (1, 1, NEAREST)
    assert one.first == "clean/- eps 0 sample 0"
    assert verdict([], OURS, [one])[0].state == "bad"
    assert not all(c.passed for c in check(Gate(), [row()], [], OURS, [one]))


def test_samples_fed_differently_are_not_compared():
    (one,) = agreements(table(rounded(nearest), crc=1))
    assert (one.samples, one.input_mismatches) == (0, 3)
    assert verdict([], OURS, [one])[0].state == "bad"
    assert not all(c.passed for c in check(Gate(), [row()], [], OURS, [one]))


def test_devices_that_send_bytes_are_not_judged_by_scores():
    assert agreements(pa.concat_tables([rows("tflm", REAL, [b"abc"] * 3), rows("board", REAL, [b"abc"] * 3)])) == []
    assert agreements(rows("board", REAL)) == []


def test_nearest_is_printfs():
    q = np.arange(-128, 128)
    for scale in (1 / 256, 0.0039, 0.25, 1.7e-3, 0.16127):
        real = (q.astype(np.float32) - np.float32(3)) * np.float32(scale)
        assert [f"{t / 1000:.3f}" for t in nearest(real)] == [
            f"{float(x):.3f}".replace("-0.000", "0.000") for x in real
        ]
