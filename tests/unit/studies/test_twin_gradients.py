"""The page on the twin's gradients: who wins, by how much, and that chance is not called a win."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.runs.rows import group
from tinyrobust.core.cells import Cell
from tinyrobust.studies.runs import largest
from tinyrobust.studies.s3.answers import ATTACKS, LEVELS, Answers
from tinyrobust.studies.twin_gradients import contests, page, verdict


def network(name, transfer, twin):
    """Each way leaves these answers right, at every budget; all are right without an attack."""
    cells = [
        (Cell(attack, source, level / 255), right)
        for attack in ATTACKS
        for level in LEVELS
        for source, right in (("float32", transfer), ("twin", twin))
    ]
    cells.append((Cell("clean", "-", 0.0), [1] * len(twin)))
    return Answers(
        name, {cell: {"tflm": group("tflm", cell, np.array(right))} for cell, right in cells}
    )


STRONGER = network("wins", [1] * 30 + [0] * 10, [1] * 10 + [0] * 30)
WEAKER = network("loses", [1] * 10 + [0] * 30, [1] * 30 + [0] * 10)
EVEN = network("even", [1, 0] * 20, [0, 1] * 20)


def test_the_verdict_counts_what_is_sure():
    assert verdict(contests([STRONGER])).startswith(
        "Made on the twin they are the stronger in 3 of 3 comparisons (p < 0.05), the weaker in 0,"
    )
    assert "the weaker in 3 (loses at 1/255, loses at 2/255" in verdict(contests([WEAKER]))
    assert verdict(contests([EVEN])).endswith("the weaker in 0, and 3 are undecided.")


def test_a_line_has_both_accuracies_and_their_paired_difference():
    text = page(contests([STRONGER, EVEN]), "python -m tinyrobust.studies.twin_gradients")
    line = next(
        line for line in text.splitlines() if line.startswith("| wins | 2/255 | 40 | 75.0 [")
    )
    assert "| 25.0 [" in line
    assert "| -50.0 [" in line
    assert line.endswith("| < 0.001 |")


def test_a_run_that_lacks_a_rung_is_a_mistake():
    with pytest.raises(KeyError):
        contests([Answers("none", {})])


def test_there_is_no_run_in_an_empty_folder(tmp_path: Path):
    assert largest(tmp_path, "resnet8", "pgd") is None
