"""Rounded scores against the oracle's outputs: agreement, ties, and what the report and the gate
make of them.
"""

import numpy as np
import pyarrow as pa
import pytest

from tests.support.runs.rows import rows
from tests.support.runs.synthetic import manifest
from tinyrobust.core.cells import Cell
from tinyrobust.core.errors import UsageError
from tinyrobust.host.analysis.gate import check
from tinyrobust.host.analysis.scores import CUT, NEAREST, agreements, cut, nearest
from tinyrobust.host.config.floors import Gate
from tinyrobust.host.records.schema import SCHEMA
from tinyrobust.host.report.verdict import verdict

REAL = (np.array([[255, 1, 0], [16, 120, 120], [48, 7, 201]], np.float32) / 256).astype(np.float32)
OURS = manifest(protocol="mlperf-tiny", state="complete")


CLEAN = Cell("clean", "-", 0.0)


def answered(rung, logits, raw=None, crc=0):
    n = len(logits)
    raw = [None] * n if raw is None else raw
    return rows(rung, CLEAN, n, input_crc=[crc] * n, logits=logits.tolist(), raw=raw)


def table(said, crc=0):
    return pa.concat_tables(
        [answered("tflm", REAL, [b"abc"] * len(REAL)), answered("board", np.float32(said), crc=crc)]
    )


def rounded(how):
    return how(REAL) / 1000


@pytest.mark.parametrize("name", [NEAREST, CUT])
def test_either_rounding_agrees_when_it_holds_throughout(name):
    (one,) = agreements(table(rounded({NEAREST: nearest, CUT: cut}[name])))
    assert (one.rung, one.samples, one.scores, one.differing_scores, one.rounding) == (
        "board",
        3,
        9,
        0,
        name,
    )
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
    assert (
        agreements(
            pa.concat_tables(
                [answered("tflm", REAL, [b"abc"] * 3), answered("board", REAL, [b"abc"] * 3)]
            )
        )
        == []
    )
    assert agreements(answered("board", REAL)) == []


def test_nearest_is_printfs():
    q = np.arange(-128, 128)
    for scale in (1 / 256, 0.0039, 0.25, 1.7e-3, 0.16127):
        real = (q.astype(np.float32) - np.float32(3)) * np.float32(scale)
        assert [f"{t / 1000:.3f}" for t in nearest(real)] == [
            f"{float(x):.3f}".replace("-0.000", "0.000") for x in real
        ]


def given(rung, logits, **columns):
    """Records of ``rung`` with ``logits`` of any lengths and other columns as given."""
    made = answered(
        rung,
        np.zeros((len(logits), 1), np.float32),
        [b"abc"] * len(logits) if rung == "tflm" else None,
    )
    for name, values in {"logits": logits, **columns}.items():
        at = made.schema.get_field_index(name)
        made = made.set_column(at, SCHEMA.field(name), pa.array(values, SCHEMA.field(name).type))
    return made


@pytest.mark.parametrize("lengths", [(1, 2, 3), (1, 1, 2), (3, 3, 0)])
@pytest.mark.parametrize("odd", ["board", "tflm"])
def test_outputs_of_several_lengths_are_refused(odd, lengths):
    ragged, even = [[0.5] * n for n in lengths], [[0.5] * 2] * 3
    sides = [given(rung, ragged if rung == odd else even) for rung in ("tflm", "board")]
    with pytest.raises(UsageError, match=f"records: {odd} has outputs of several lengths"):
        agreements(pa.concat_tables(sides))


def test_another_number_of_scores_than_the_oracles_is_refused():
    with pytest.raises(UsageError, match="board answers 2 scores, tflm has 3"):
        agreements(pa.concat_tables([given("tflm", [[0.5] * 3]), given("board", [[0.5] * 2])]))


def test_only_what_both_answered_is_compared_and_each_with_its_own():
    """Keys are attack, source, eps, seed and sample: the device's rows are in another order, and
    one is alone.
    """
    real = [[0.001, 0.002], [0.003, 0.004], [0.005, 0.006]]
    cells = {"attack": ["pgd"] * 3, "source": ["qat"] * 3, "eps": [2 / 255] * 3, "seed": [3] * 3}
    theirs = given("tflm", real, **cells, sample=[4, 5, 6], input_crc=[4, 5, 6])
    mine = given(
        "board", [real[2], real[0], [9.0, 9.0]], **cells, sample=[6, 4, 9], input_crc=[6, 4, 9]
    )
    (one,) = agreements(pa.concat_tables([theirs, mine]))
    assert (one.samples, one.scores, one.differing_scores, one.input_mismatches, one.first) == (
        2,
        4,
        0,
        0,
        "",
    )
    wrong = given(
        "board",
        [real[2], [0.011, 0.002]],
        **{k: v[:2] for k, v in cells.items()},
        sample=[6, 4],
        input_crc=[6, 4],
    )
    (one,) = agreements(pa.concat_tables([theirs, wrong]))
    assert (one.differing_samples, one.differing_scores, one.largest) == (1, 1, 10)
    assert one.first == "pgd/qat eps 0.007843 sample 4"


def test_samples_fed_differently_are_left_out_one_by_one():
    theirs = given("tflm", [[0.001], [0.002], [0.003]], input_crc=[1, 2, 3])
    (one,) = agreements(
        pa.concat_tables([theirs, given("board", [[0.001], [9.0], [0.003]], input_crc=[1, 7, 3])])
    )
    assert (one.samples, one.differing_scores, one.input_mismatches) == (2, 0, 1)


def test_ties_are_of_the_highest_score_only():
    said = [[0.4, 0.4, 0.2], [0.3, 0.3, 0.4], [0.2, 0.4, 0.4], [1.0, 0.0, 0.0]]
    (one,) = agreements(pa.concat_tables([given("tflm", said), given("board", said)]))
    assert (one.ties, one.rounding) == (2, NEAREST)


def test_cut_goes_towards_zero_in_float32():
    assert cut(np.float32([0.9999, -0.9999, 0.0625, 2.5])).tolist() == [999, -999, 62, 2500]
    assert nearest(np.float32([0.9999, -0.9999, 0.0625, 0.1875])).tolist() == [1000, -1000, 62, 188]
