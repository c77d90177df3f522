"""How sizes are written: what was asked for, what the attack returned, and what reached the
chip.
"""

import dataclasses

import pytest

from tests.support.runs import synthetic
from tinyrobust.host.analysis.budgets import of_row, reached, returned
from tinyrobust.host.analysis.metrics import summarise

ROW = dataclasses.replace(
    summarise(synthetic.table(), synthetic.manifest())[0],
    eps=3.7 / 255,
    unsnapped_max=3.6 / 255,
    eps_reached_max=3 / 255,
    l2_max=0.5,
    l1_max=2.5,
)


@pytest.mark.parametrize(
    ("norm", "minimises", "says"),
    [
        ("linf", False, ("3.7/255", "3.6/255", "3/255")),
        ("l2", False, ("L2 0.0145", "L2 0.0141", "L2 0.5")),
        ("l1", True, ("smallest L1", "L1 0.0141", "L1 2.5")),
        ("l0", True, ("smallest L0", "L0 0.0141", "L2 0.5")),
    ],
)
def test_every_norm_in_its_own_words(norm, minimises, says):
    row = dataclasses.replace(ROW, norm=norm, minimises=minimises)
    assert (of_row(row), returned(row), reached(row)) == says


def test_l2_stands_in_where_l1_was_not_kept():
    assert reached(dataclasses.replace(ROW, norm="l1", l1_max=None)) == "L2 0.5"
