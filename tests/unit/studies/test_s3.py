"""S3's page: the claim falls into paired steps, judged on the strongest of all attacks."""

import numpy as np
import pytest

from tests.support.runs.rows import group
from tinyrobust.core.cells import Cell
from tinyrobust.core.errors import UsageError
from tinyrobust.models.data.splits import dataset
from tinyrobust.models.zoo.mlperf_tiny import unseen
from tinyrobust.studies.s3.answers import ATTACKS, LEVELS, Answers, white_box
from tinyrobust.studies.s3.networks import CONTROL, NETWORKS, PENALIZED, REFERENCE, TERNARY
from tinyrobust.studies.s3.page import page

RUNGS = ("float32", "native")


def network(name, clean, attacked, made_on=("float32", "twin")):
    """A network that answers ``clean`` right, and ``attacked`` under all that is ``made_on``."""
    cells = {Cell("clean", "-", 0.0): clean}
    for attack in ATTACKS:
        for source in ("float32", "twin"):
            for level in LEVELS:
                right = attacked if source in made_on else clean
                cells[Cell(attack, source, level / 255)] = right
    return Answers(
        name,
        {
            cell: {rung: group(rung, cell, np.array(right)) for rung in RUNGS}
            for cell, right in cells.items()
        },
    )


def four(reference, control, ternary, penalized, n=100):
    """The study's networks with so many of ``n`` samples standing under attack."""
    shares = dict(zip(NETWORKS, (reference, control, ternary, penalized), strict=True))
    return {
        name: network(name, [1] * n, [1] * right + [0] * (n - right))
        for name, right in shares.items()
    }


def test_the_claim_is_taken_apart_into_paired_steps():
    text = page(four(20, 30, 60, 55), "native", "python -m tinyrobust.studies.s3")
    rows = {
        tuple(cell.strip() for cell in line.split("|")[2:4]): line.split("|")[4:-1]
        for line in text.splitlines()
        if line.startswith("| ") and " | [" not in line
    }
    points = {
        key: [cell.split()[0] for cell in cells]
        for key, cells in rows.items()
        if key[0] in NETWORKS
    }
    assert points[REFERENCE, CONTROL] == ["+0.0", "+10.0", "+10.0", "+10.0"]
    assert points[CONTROL, TERNARY] == ["+0.0", "+30.0", "+30.0", "+30.0"]
    assert points[TERNARY, PENALIZED] == ["+0.0", "-5.0", "-5.0", "-5.0"]
    assert points[REFERENCE, PENALIZED] == ["+0.0", "+35.0", "+35.0", "+35.0"]


@pytest.mark.parametrize(
    ("penalized", "word"), [(60, "holds"), (20, "fails"), (28, "is undecided")]
)
def test_the_verdict_compares_the_interval_with_the_claim(penalized, word):
    text = page(four(20, 20, 20, penalized), "native", "x")
    assert f"at least +8.3 {word}." in text


@pytest.mark.parametrize(
    ("penalized", "word"), [(80, "adds to it"), (10, "takes from it"), (41, "adds nothing sure")]
)
def test_the_verdict_says_what_the_penalty_did(penalized, word):
    assert f"The penalty {word} at 1/255" in page(four(20, 30, 40, penalized), "native", "x")


def test_a_sample_stands_only_where_no_attack_turned_it():
    one = network("x", [1, 1, 1, 0], [1, 1, 1, 0])
    first, second = (Cell(attack, "twin", 1 / 255) for attack in ATTACKS)
    one.cells[first]["native"] = group("native", first, np.array([0, 1, 1, 0]))
    one.cells[second]["native"] = group("native", second, np.array([1, 0, 1, 1]))
    assert one.standing("native", 1, ("float32", "twin")).tolist() == [False, False, True, False]
    assert one.standing("native", 1, ("float32",)).tolist() == [True, True, True, False]
    assert one.standing("native", 0, ("float32", "twin")).tolist() == [True, True, True, False]


def test_float_rungs_face_what_was_made_on_float_alone():
    assert white_box("float32") == ("float32",)
    assert white_box("native") == ("float32", "twin")


def test_networks_on_different_samples_are_not_compared():
    found = four(1, 1, 1, 1, n=3)
    found[CONTROL] = network(CONTROL, [1, 1], [1, 0])
    with pytest.raises(ValueError, match="different samples"):
        page(found, "native", "x")


def test_unseen_leaves_out_the_calibration_samples():
    test = dataset("t", np.arange(12, dtype=np.int8).reshape(6, 2), np.arange(6))
    kept = unseen(test, np.array([4, 1]))
    assert kept.labels.tolist() == [0, 2, 3, 5]
    with pytest.raises(UsageError, match="not rows of t"):
        unseen(test, np.array([6]))
