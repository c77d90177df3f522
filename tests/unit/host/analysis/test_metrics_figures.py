"""Every figure of a summary row and of a ladder step, from records written by hand."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from tests.support.runs import synthetic
from tests.support.runs.rows import cell_of
from tinyrobust.core.cells import Cell
from tinyrobust.core.stats import mcnemar, paired_difference, wilson
from tinyrobust.host.analysis.metrics import attribution, summarise
from tinyrobust.host.records.schema import SCHEMA

PGD = Cell("pgd", "qat", 16 / 255)


def board(rows):
    return next(row for row in rows if row.rung == "board")


def by_hand(cell, rung, predicted, labels, **columns):
    """Records of ``cell`` on ``rung`` with columns as given."""
    records = cell_of(cell, rung, np.array(predicted), np.array(labels))
    for name, values in columns.items():
        at = records.schema.get_field_index(name)
        records = records.set_column(
            at, SCHEMA.field(name), pa.array(values, SCHEMA.field(name).type)
        )
    return records


def test_every_figure_of_a_row_is_the_one_that_it_is_called():
    cell = Cell("ead", "qat", 1.0, 7)
    records = by_hand(
        cell,
        "board",
        [0, 1, 0, 2],
        [0, 1, 1, 2],
        levels=[255] * 4,
        linf=[51, 0, 102, 51],
        l2=[0.5, 0.0, 2.0, 1.5],
        l1=[3.0, 0.0, 4.0, 1.0],
        l0=[5, 0, 7, 8],
        unsnapped=[0.25, 0.0, 6.0, 1.0],
        failed=[False, True, False, True],
    )
    (found,) = summarise(records, synthetic.manifest(attacks=("ead",)))
    low, high = wilson(3, 4)
    assert dataclasses.asdict(found) == {
        "rung": "board",
        "attack": "ead",
        "source": "qat",
        "eps": 1.0,
        "norm": "l1",
        "minimises": True,
        "seed": 7,
        "levels": 255,
        "eps_reached_max": 0.4,
        "eps_reached_mean": pytest.approx(0.2),
        "l2_max": 2.0,
        "l2_mean": 1.0,
        "l1_max": 4.0,
        "l1_mean": 2.0,
        "l0_mean": 5.0,
        "unsnapped_max": 6.0,
        "over_budget": 0,
        "failed": 2,
        "n": 4,
        "correct": 3,
        "accuracy": 0.75,
        "low": low,
        "high": high,
        "to_target": None,
        "to_target_n": None,
        "to_target_share": None,
        "to_target_low": None,
        "to_target_high": None,
        "agree_float32": None,
        "agree_qat": None,
        "agree_tflm": None,
        "differing_samples": None,
        "differing_bytes": None,
    }


def test_what_was_not_recorded_or_is_of_an_unknown_kind_is_none_or_the_commonest():
    records = by_hand(Cell("novel", "qat", 0.1), "board", [0, 1], [0, 1], l1=[float("nan")] * 2)
    (found,) = summarise(records, synthetic.manifest())
    assert (found.l1_max, found.l1_mean, found.norm, found.minimises) == (None, None, "linf", False)


def test_labels_are_all_there_or_there_is_no_accuracy():
    (found,) = summarise(by_hand(PGD, "board", [0, 0], [0, -1]), synthetic.manifest())
    assert (found.correct, found.accuracy, found.low, found.high) == (None, None, None, None)
    (found,) = summarise(by_hand(PGD, "board", [0, 1], [0, 0]), synthetic.manifest())
    assert (found.correct, found.accuracy) == (1, 0.5)


def test_agreement_is_of_the_samples_that_both_answered():
    mine = by_hand(PGD, "board", [0, 1, 2, 3], [0] * 4, sample=[1, 2, 3, 9])
    others = {"float32": [0, 1, 1], "qat": [3, 3, 3], "tflm": [0, 1, 2]}
    tables = [by_hand(PGD, rung, p, [0] * 3, sample=[1, 2, 3]) for rung, p in others.items()]
    found = board(summarise(pa.concat_tables([mine, *tables]), synthetic.manifest()))
    assert (found.agree_float32, found.agree_qat, found.agree_tflm) == (
        pytest.approx(2 / 3),
        0.0,
        1.0,
    )
    apart = by_hand(PGD, "float32", [0], [0], sample=[7])
    found = board(summarise(pa.concat_tables([mine, apart]), synthetic.manifest()))
    assert found.agree_float32 is None


def test_a_step_counts_what_was_lost_and_gained_between_two_rungs():
    upper = by_hand(PGD, "float32", [0, 0, 0, 0, 1], [0, 0, 0, 0, 0], sample=[1, 2, 3, 4, 5])
    lower = by_hand(PGD, "board", [1, 1, 0, 0, 1], [0, 0, 0, 0, 0], sample=[2, 1, 3, 5, 8])
    (step,) = attribution(pa.concat_tables([upper, lower]), synthetic.manifest())
    assert dataclasses.asdict(step) == {
        "attack": "pgd",
        "source": "qat",
        "eps": 16 / 255,
        "seed": 0,
        "upper": "float32",
        "lower": "board",
        "n": 4,
        "upper_accuracy": 0.75,
        "lower_accuracy": 0.5,
        "lost": 2,
        "gained": 1,
        "difference": -0.25,
        "low": paired_difference(2, 1, 4)[0],
        "high": paired_difference(2, 1, 4)[1],
        "p_value": mcnemar(2, 1),
    }


def test_no_step_without_labels_or_without_a_sample_in_common():
    upper = by_hand(PGD, "float32", [0, 0], [0, 0], sample=[1, 2])
    for lower in (
        by_hand(PGD, "board", [0], [0], sample=[3]),
        by_hand(PGD, "board", [0], [-1], sample=[1]),
    ):
        unlabelled = lower["label"][0].as_py() < 0
        above = by_hand(PGD, "float32", [0], [-1], sample=[1]) if unlabelled else upper
        assert attribution(pa.concat_tables([above, lower]), synthetic.manifest()) == []


def test_rows_and_steps_come_in_the_order_of_attack_source_seed_eps_and_ladder():
    cells = [
        Cell(a, s, e, seed)
        for a in ("zoo", "pgd", "clean", "ead")
        for s in ("twin", "qat")
        for e in (0.2, 0.1)
        for seed in (1, 0)
    ]
    records = pa.concat_tables(
        [by_hand(c, r, [0], [0]) for c in cells for r in ("board", "tflm", "float32")]
    )
    ours = synthetic.manifest(attacks=("pgd", "clean"))
    attacks = (
        "clean",
        "pgd",
        "ead",
        "zoo",
    )  # the run's order, the clean set first; then what it did not name

    def key(rung):
        return lambda r: (
            attacks.index(r.attack),
            r.source,
            r.seed,
            r.eps,
            ("float32", "tflm", "board").index(rung(r)),
        )

    rows, steps = summarise(records, ours), attribution(records, ours)
    assert (len(rows), len(steps)) == (32 * 3, 32 * 2)
    assert rows == sorted(rows, key=key(lambda r: r.rung))
    assert steps == sorted(steps, key=key(lambda s: s.upper))


def test_targeted_success_counts_what_was_another_class_before():
    """Target 2: the first has it as its label, the second was taken for it when clean."""
    clean = by_hand(Cell("clean", "-", 0.0), "board", [2, 2, 1, 1, 0], [2, 1, 1, 1, 0])
    made = by_hand(PGD, "board", [2, 2, 2, 1, 2], [2, 1, 1, 1, 0], target=[2] * 5)
    rows = summarise(pa.concat_tables([clean, made]), synthetic.manifest())
    aimed = next(row for row in rows if row.attack == "pgd")
    assert (aimed.to_target, aimed.to_target_n) == (2, 3)
    assert aimed.to_target_share == pytest.approx(2 / 3)
    assert (aimed.to_target_low, aimed.to_target_high) == wilson(2, 3)
    assert rows[0].to_target is None
    (alone,) = summarise(made, synthetic.manifest())
    assert alone.to_target is None, "without clean answers nobody knows what it was before"


def test_levels_are_shares_of_the_grid_that_the_run_had():
    records = by_hand(PGD, "board", [0, 1], [0, 0], linf=[100, 300], levels=[514] * 2)
    fine = synthetic.manifest(input_dtype="int16", input_lowest=0, input_highest=32767)
    (found,) = summarise(records, fine)
    assert found.eps_reached_max == pytest.approx(300 / 32767)
    assert found.over_budget == 0


def test_what_was_moved_farther_than_its_budget_is_counted():
    records = by_hand(Cell("pgd", "qat", 0.002), "board", [0] * 3, [0] * 3, linf=[0, 1, 1])
    (found,) = summarise(records, synthetic.manifest())
    assert found.over_budget == 2
