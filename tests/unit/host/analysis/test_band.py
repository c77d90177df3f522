"""Robust accuracy from both sides: the same samples below and above, and never crossed."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from tests.support.runs import certified, synthetic
from tests.support.runs.certified import row
from tests.support.runs.rows import cell_of
from tinyrobust.core.cells import Cell
from tinyrobust.core.stats import wilson
from tinyrobust.host.analysis.band import bands
from tinyrobust.host.analysis.worst_case import worst_cases

CLEAN, PGD = Cell("clean", "-", 0.0), Cell("pgd", "float32", 4 / 255)
STATUSES = ["certified", "broken", "undecided", "wrong"]


def run(turned, wrong=(), n=5, level=4):
    """Labels are 0: ``wrong`` samples fall at once, ``turned`` ones to PGD."""
    said = np.isin(np.arange(n), wrong).astype(int)
    fell = said | np.isin(np.arange(n), turned)
    parts = [(CLEAN, said, 0), (PGD, fell, level)]
    return pa.concat_tables([cell_of(c, "board", p, level=at) for c, p, at in parts])


def rows(*statuses, levels=4):
    return [row(i, levels, status) for i, status in enumerate(statuses)]


def only(table, *given):
    (band,) = bands(table, certified.given(*given)).bands
    return band


def test_a_band_counts_what_is_proven_and_what_stands():
    statuses = ("certified", "certified", "broken", "undecided", "wrong")
    band = only(run([3], wrong=[4]), *rows(*statuses))
    assert (band.levels, band.rung, band.n) == (4, "board", 5)
    assert (band.clean.share, band.certified.share, band.standing.share) == (0.8, 0.4, 0.4)
    assert (band.certified.low, band.certified.high) == wilson(2, 5)
    assert str(band) == "robust at 4/255: between 40.0 and 40.0 %, n = 5"
    assert only(run([], wrong=[4]), *rows(*statuses)).standing.share == 0.6


def test_the_upper_end_is_the_worst_case_where_the_search_found_nothing():
    table = synthetic.table(rungs=("float32", "board"))
    manifest = synthetic.manifest(rungs=("float32", "board"))
    worst = {round(one.eps * 255): one.flashed for one in worst_cases(table, manifest)}
    given = [row(i, at, "undecided") for at in worst for i in range(200)]
    found = bands(table, certified.given(*given)).bands
    assert [one.levels for one in found] == sorted(worst)
    assert [one.standing.share for one in found] == [worst[one.levels].accuracy for one in found]


def test_a_larger_perturbation_does_not_count_at_a_smaller_budget():
    table = run([0], level=5)
    assert only(table, *rows(*["undecided"] * 5)).standing.share == 1.0
    assert only(table, *rows(*["undecided"] * 5, levels=5)).standing.share == 0.8


def test_only_samples_that_both_sides_know_are_counted():
    table = run([1])
    assert only(table, row(0, 4), row(1, 4, "undecided"), row(7, 4)).n == 2


def test_what_is_proven_and_turned_is_a_contradiction():
    table = run([1])
    found = bands(table, certified.given(*rows("certified", "certified")))
    (wrong,) = found.contradictions
    assert str(wrong) == (
        "sample 1 is certified at 4 levels, but pgd from float32 turned it on board by 4"
    )
    assert bands(run([1], level=5), certified.given(*rows("certified"))).contradictions == ()


def test_a_run_without_labels_or_certificates_has_no_band():
    table = run([1])
    assert bands(table, None) is None
    labels = pa.array([-1] * len(table), table.schema.field("label").type)
    at = table.schema.get_field_index("label")
    unlabelled = table.set_column(at, table.schema.field("label"), labels)
    assert bands(unlabelled, certified.given(row(0, 4))) is None


def test_the_method_is_named_with_its_budget():
    table = run([])
    assert bands(table, certified.given(row(0, 4))).method == "auto"
    found = bands(table, certified.given(row(0, 4), budget=2.5))
    assert found.method == "auto, 2.5 s of branch and bound a sample"


@drawn(st.lists(st.tuples(st.sampled_from(STATUSES), st.booleans()), min_size=1, max_size=12))
def test_the_lower_end_is_never_above_the_upper_one_unless_a_proof_is_broken(samples):
    statuses = [status for status, _ in samples]
    turned = [i for i, (_, fell) in enumerate(samples) if fell]
    wrong = [i for i, status in enumerate(statuses) if status == "wrong"]
    found = bands(run(turned, wrong, len(samples)), certified.given(*rows(*statuses)))
    (band,) = found.bands
    crossed = any(statuses[i] == "certified" for i in turned)
    assert bool(found.contradictions) is crossed
    assert crossed or band.certified.share <= band.standing.share <= band.clean.share


@pytest.mark.parametrize("levels", [0, 256])
def test_impossible_rows_are_refused(levels):
    with pytest.raises(ValueError, match="not a certificate"):
        dataclasses.replace(row(0, 4), levels=levels)
