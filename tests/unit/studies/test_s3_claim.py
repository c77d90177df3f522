import numpy as np
import pytest

from tests.support.runs.rows import group
from tinyrobust.core.cells import Cell
from tinyrobust.core.errors import UsageError
from tinyrobust.models.data.splits import dataset
from tinyrobust.models.zoo.mlperf_tiny import unseen
from tinyrobust.studies.s3_claim import REFERENCE, Answers, claim, page, table


def network(name, clean, attacked):
    cells = {Cell("clean", "-", 0.0): clean}
    cells |= {
        Cell(a, s, e / 255): attacked
        for a in ("fgsm", "pgd")
        for s in ("float32", "twin")
        for e in (1, 2, 4, 8)
    }
    found = {
        cell: {r: group(r, cell, np.array(right)) for r in ("float32", "board")}
        for cell, right in cells.items()
    }
    return Answers(name, found)


def test_tables_show_shares_and_paired_differences():
    reference = network(REFERENCE, [1] * 90 + [0] * 10, [1] * 20 + [0] * 80)
    ours = network("ours", [1] * 80 + [0] * 20, [0] * 10 + [1] * 40 + [0] * 50)
    lines = table([reference, ours])
    assert any(
        line.startswith("| clean | 0/255 | `board` | 90.0 [82.6, 94.5] | 80.0 [") for line in lines
    )
    assert any(
        line.startswith("| pgd | 2/255 | `board` | 20.0 [") and "| 40.0 [" in line for line in lines
    )
    differences = claim([reference, ours], "board")
    assert any(line.startswith("| clean | 0/255 | -10.0 [") for line in differences)
    assert any(line.startswith("| fgsm | 8/255 | +20.0 [") for line in differences)


def test_the_page_has_the_penalty_beside_the_claim():
    networks = [
        network(name, [1] * 10, [1] * right + [0] * (10 - right))
        for right, name in ((2, REFERENCE), (5, "a"))
    ]
    text = page(
        [*networks, network("a-jr", [1] * 10, [1] * 4 + [0] * 6)],
        10,
        "qemu_an500",
        "python -m tinyrobust.studies.s3_claim",
    )
    assert f"| attack | eps | a minus {REFERENCE} | a-jr minus {REFERENCE} | a-jr minus a |" in text
    row = next(line for line in text.splitlines() if line.startswith("| pgd | 1/255 |"))
    assert [cell.split()[0] for cell in row.strip("| ").split(" | ")[2:]] == [
        "+30.0",
        "+20.0",
        "-10.0",
    ]


def test_float_rungs_are_attacked_through_float_and_integer_rungs_through_the_twin():
    one = network("x", [1], [0])
    one.cells[Cell("pgd", "float32", 1 / 255)]["float32"] = group(
        "float32", Cell("pgd", "float32", 1 / 255), [True]
    )
    one.cells[Cell("pgd", "twin", 1 / 255)]["board"] = group(
        "board", Cell("pgd", "twin", 1 / 255), [True]
    )
    assert one.group("pgd", 1, "float32").right.all()
    assert one.group("pgd", 1, "board").right.all()


def test_a_rung_that_one_network_has_not_is_a_dash():
    reference, ours = network(REFERENCE, [1], [1]), network("ours", [1], [1])
    del ours.cells[Cell("clean", "-", 0.0)]["board"]
    assert "| clean | 0/255 | `board` | 100.0 [20.7, 100.0] | - |" in table([reference, ours])


def test_unseen_leaves_out_the_calibration_samples():
    test = dataset("t", np.arange(12, dtype=np.int8).reshape(6, 2), np.arange(6))
    kept = unseen(test, np.array([4, 1]))
    assert kept.labels.tolist() == [0, 2, 3, 5]
    with pytest.raises(UsageError, match="not rows of t"):
        unseen(test, np.array([6]))
