"""What parts of the host hand to one another cannot be changed by who gets it."""

import pytest

from tinyrobust.host.analysis import metrics, scores
from tinyrobust.host.link import exchange as link
from tinyrobust.models.plan import compiler as plan
from tinyrobust.models.plan import fixed_point
from tinyrobust.models.plan.operators import checks as plan_checks

VALUES = (
    link.Answer,
    link.Request,
    metrics.Step,
    metrics.SummaryRow,
    scores.ScoreAgreement,
    fixed_point.AddParams,
    fixed_point.Multiplier,
    fixed_point.SoftmaxParams,
    fixed_point.Window,
    plan.Plan,
    plan_checks.Checked,
)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_values_are_frozen(value):
    assert value.__dataclass_params__.frozen
