"""Robust accuracy: which samples no attack of a run turned, at which budget, on which rung."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.runs import synthetic
from tests.support.runs.rows import cell_of
from tinyrobust.core.cells import Cell
from tinyrobust.core.stats import wilson
from tinyrobust.host.analysis.worst_case import worst_cases

CLEAN = Cell("clean", "-", 0.0)
PGD, FGSM, NOISE = (
    Cell("pgd", "float32", 4 / 255),
    Cell("fgsm", "float32", 4 / 255),
    Cell("noise", "-", 4 / 255),
)
FAR, NEAREST = Cell("pgd", "float32", 8 / 255), Cell("deepfool", "qat", 1.0)
ALL_RIGHT = np.zeros(4, int)
"""Predictions; every label is 0."""


def run(*cells, rung="board"):
    """Records of ``rung``: (cell, predictions, levels reached) each."""
    return pa.concat_tables(
        [cell_of(cell, rung, np.array(said), level=level) for cell, said, level in cells]
    )


def only(table, **changes):
    (found,) = worst_cases(table, synthetic.manifest(**changes))
    return found


def test_a_sample_stands_where_no_attack_turned_it():
    found = only(
        run((CLEAN, [0, 0, 0, 1], 0), (PGD, [1, 0, 0, 1], 4), (FGSM, [0, 1, 0, 0], 4)),
    )
    assert (found.norm, found.eps, found.flashed.rung) == ("linf", 4 / 255, "board")
    assert (found.clean.standing, found.flashed.standing, found.flashed.n) == (3, 1, 4)
    assert (found.flashed.accuracy, found.flashed.low) == (0.25, wilson(1, 4)[0])
    assert found.flashed.high == wilson(1, 4)[1]


def test_the_strongest_attack_turned_most_of_what_was_right():
    found = only(
        run((CLEAN, [0, 0, 0, 1], 0), (PGD, [0, 0, 1, 0], 4), (FGSM, [1, 1, 0, 1], 4)),
    )
    assert (found.strongest, found.turned) == (FGSM, 2)


def test_where_nothing_was_turned_there_is_no_strongest_attack():
    found = only(run((CLEAN, [0, 0, 0, 1], 0), (PGD, [0, 0, 0, 1], 4)))
    assert (found.strongest, found.turned) == (None, 0)
    assert found.flashed.standing == found.clean.standing == 3


def test_smaller_perturbations_count_at_larger_budgets_and_never_the_other_way_round():
    near, far = worst_cases(
        run((CLEAN, ALL_RIGHT, 0), (PGD, [1, 0, 0, 0], 4), (FAR, [0, 1, 0, 0], 8)),
        synthetic.manifest(),
    )
    assert (near.eps, near.flashed.standing) == (4 / 255, 3)
    assert (far.eps, far.flashed.standing) == (8 / 255, 2)


@pytest.mark.parametrize(("level", "standing"), [(3, 3), (4, 3), (5, 4)])
def test_a_minimising_attack_counts_where_its_results_are_inside_the_budget(level, standing):
    found = only(
        run((CLEAN, ALL_RIGHT, 0), (NOISE, ALL_RIGHT, 4), (NEAREST, [1, 0, 0, 0], level)),
    )
    assert found.flashed.standing == standing
    assert (found.strongest == NEAREST) is (standing == 3)


def test_every_rung_is_counted_on_the_same_samples():
    whole = run((CLEAN, ALL_RIGHT, 0), (PGD, [0, 1, 1, 1], 4), rung="float32")
    part = run((CLEAN, [0, 0], 0), (PGD, [0, 1], 4))
    found = only(pa.concat_tables([part, whole]))
    assert [(one.rung, one.standing, one.n) for one in found.ladder] == [
        ("float32", 1, 2),
        ("board", 1, 2),
    ]


def test_a_run_without_a_device_is_judged_on_its_last_rung():
    cells = (CLEAN, ALL_RIGHT, 0), (PGD, [1, 1, 0, 0], 4)
    found = only(pa.concat_tables([run(*cells, rung="tflm"), run(*cells, rung="float32")]))
    assert (found.flashed.rung, found.flashed.standing) == ("tflm", 2)


@pytest.mark.parametrize(
    "table",
    [
        run((PGD, [1, 0, 0, 0], 4)),
        run((CLEAN, ALL_RIGHT, 0)),
        run((CLEAN, ALL_RIGHT, 0), (NEAREST, [1, 0, 0, 0], 3)),
        synthetic.table(labelled=False),
    ],
    ids=["no clean cell", "no attack", "minimising attacks alone", "no labels"],
)
def test_without_a_budget_or_a_label_there_is_none(table):
    assert worst_cases(table, synthetic.manifest()) == []


@given(st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=4))
def test_it_is_the_minimum_over_attacks_for_each_sample(turned):
    cells = [
        (Cell("pgd", f"source{i}", 4 / 255), np.array(one, int), 4) for i, one in enumerate(turned)
    ]
    found = only(run((CLEAN, np.zeros(6, int), 0), *cells))
    assert found.flashed.standing == 6 - int(np.any(turned, axis=0).sum())
    assert found.turned == max(sum(one) for one in turned)
