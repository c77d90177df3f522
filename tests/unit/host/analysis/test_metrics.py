import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from tests.support.runs import synthetic
from tinyrobust.core.cells import Cell
from tinyrobust.core.errors import UsageError
from tinyrobust.core.stats import mcnemar, wilson
from tinyrobust.host.analysis.divergence import divergences
from tinyrobust.host.analysis.metrics import attribution, summarise

PGD = Cell("pgd", "qat", 16 / 255)


def row(rows, rung, cell):
    return next(
        r
        for r in rows
        if (r.rung, r.attack, r.source, r.eps, r.seed)
        == (rung, cell.attack, cell.source, cell.eps, 0)
    )


@pytest.fixture(scope="module")
def records():
    return synthetic.table()


def test_every_cell_and_rung_has_its_row_in_the_order_of_the_run(records):
    rows = summarise(records, synthetic.manifest())
    assert len(rows) == len(synthetic.CELLS) * 4
    assert [r.rung for r in rows[:4]] == ["float32", "qat", "tflm", "board"]
    assert [r.attack for r in rows] == sorted(
        (r.attack for r in rows), key=["clean", "noise", "fgsm", "pgd"].index
    )


def test_figures_do_not_depend_on_the_order_of_the_records(records):
    shuffled = records.take(np.random.default_rng(0).permutation(len(records)))
    assert summarise(shuffled, synthetic.manifest()) == summarise(records, synthetic.manifest())
    assert attribution(shuffled, synthetic.manifest()) == attribution(records, synthetic.manifest())
    assert divergences(shuffled) == divergences(records)


def test_accuracy_is_counted_against_the_labels(records):
    found = row(summarise(records, synthetic.manifest()), "board", PGD)
    mine = [
        p == want
        for rung, attack, source, eps, p, want in zip(
            *(
                records[n].to_pylist()
                for n in ("rung", "attack", "source", "eps", "predicted", "label")
            ),
            strict=True,
        )
        if (rung, attack, source, eps) == ("board", "pgd", "qat", 16 / 255)
    ]
    assert (found.correct, found.n) == (sum(mine), 200)
    assert (found.low, found.high) == wilson(sum(mine), 200)
    assert found.eps_reached_max == found.eps_reached_mean == 16 / 255
    assert found.agree_tflm == 1.0
    assert found.agree_float32 < 1.0
    assert (found.differing_samples, found.differing_bytes) == (0, 0)


def test_rungs_without_bytes_have_no_divergence_and_no_rung_agrees_with_itself(records):
    rows = summarise(records, synthetic.manifest())
    assert row(rows, "float32", PGD).differing_bytes is None
    assert row(rows, "tflm", PGD).agree_tflm is None


def test_one_differing_byte_is_found_and_placed(records):
    at = synthetic.row_of(records, "board", PGD, 17)
    raw = bytearray(records["raw"][at].as_py())
    raw[2] ^= 1
    bad = synthetic.change(records, "raw", at, bytes(raw))
    (found,) = divergences(bad)
    assert (found.differing_samples, found.differing_bytes, found.largest) == (1, 1, 1)
    assert found.first == "pgd/qat eps 0.06275 sample 17"
    assert found.samples == 200 * len(synthetic.CELLS)
    assert row(summarise(bad, synthetic.manifest()), "board", PGD).differing_bytes == 1


def test_int16_outputs_are_compared_in_their_own_levels_and_bytes(records):
    raws = records["raw"].to_pylist()
    widened = [
        None if raw is None else np.frombuffer(raw, np.int8).astype("<i2").tobytes() for raw in raws
    ]
    records = records.set_column(
        records.column_names.index("raw"), "raw", pa.array(widened, pa.binary())
    )
    at = synthetic.row_of(records, "board", PGD, 17)
    values = np.frombuffer(widened[at], "<i2").copy()
    values[2] += 300
    (found,) = divergences(synthetic.change(records, "raw", at, values.tobytes()))
    assert (found.differing_samples, found.differing_bytes, found.largest) == (1, 2, 300)
    assert found.bytes == 2 * divergences(synthetic.table())[0].bytes


def test_outputs_for_different_inputs_are_counted_apart(records):
    at = synthetic.row_of(records, "board", PGD, 17)
    (found,) = divergences(synthetic.change(records, "input_crc", at, 1))
    assert found.input_mismatches == 1
    assert found.samples == 200 * len(synthetic.CELLS) - 1


def test_no_oracle_no_verdict():
    assert divergences(synthetic.table(rungs=("float32", "board"))) == []


def test_attribution_pairs_the_samples(records):
    steps = [
        s
        for s in attribution(records, synthetic.manifest())
        if Cell(s.attack, s.source, s.eps) == PGD
    ]
    assert [(s.upper, s.lower) for s in steps] == [
        ("float32", "qat"),
        ("qat", "tflm"),
        ("tflm", "board"),
    ]
    rows = summarise(records, synthetic.manifest())
    for step in steps:
        change = row(rows, step.lower, PGD).accuracy - row(rows, step.upper, PGD).accuracy
        assert step.difference == pytest.approx(change)
        assert step.low <= step.difference <= step.high
        assert step.p_value == mcnemar(step.lost, step.gained)
    assert steps[-1].p_value == 1.0


def test_an_interrupted_run_is_compared_on_what_both_rungs_answered(records):
    keep = [
        not (r == "board" and s >= 50)
        for r, s in zip(records["rung"].to_pylist(), records["sample"].to_pylist(), strict=True)
    ]
    part = records.filter(keep)
    assert {s.n for s in attribution(part, synthetic.manifest()) if s.lower == "board"} == {50}
    assert divergences(part)[0].samples == 50 * len(synthetic.CELLS)


def test_data_without_labels_has_agreement_but_no_accuracy():
    records = synthetic.table(labelled=False)
    found = row(summarise(records, synthetic.manifest()), "board", PGD)
    assert (found.accuracy, found.correct, found.low) == (None, None, None)
    assert found.agree_tflm == 1.0
    assert attribution(records, synthetic.manifest()) == []


def test_a_doubled_record_is_refused(records):
    import pyarrow as pa

    with pytest.raises(UsageError, match="twice"):
        summarise(pa.concat_tables([records, records.slice(7, 1)]), synthetic.manifest())


def test_no_records_no_rows(records):
    empty = records.slice(0, 0)
    assert (
        summarise(empty, synthetic.manifest()),
        attribution(empty, synthetic.manifest()),
        divergences(empty),
    ) == (
        [],
        [],
        [],
    )


def test_seeds_are_rows_of_their_own(records):
    cells = (PGD, dataclasses.replace(PGD, seed=1))
    rows = summarise(synthetic.table(cells=cells), synthetic.manifest())
    assert [(r.seed, r.n) for r in rows if r.rung == "board"] == [(0, 200), (1, 200)]
