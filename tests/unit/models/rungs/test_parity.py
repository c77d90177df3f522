import numpy as np
import pytest

from tinyrobust.core.errors import GateFailed
from tinyrobust.core.types import Prediction, TensorSpec
from tinyrobust.models.rungs.parity import compare, gate

pytestmark = pytest.mark.slow

SPEC = TensorSpec((1,), 1.0, 0)
OUT = TensorSpec((2,), 0.5, -1)
Q = np.zeros((2, 1), np.int8)


class Fixed:
    """A rung that answers what it was given."""

    rung, input = "fixed", SPEC

    def __init__(self, raw, real=None):
        self.raw = np.array(raw, np.int8)
        self.logits = OUT.dequantize(self.raw) if real is None else np.array(real, np.float32)

    def predict(self, q):
        return Prediction(self.logits, self.raw)


def test_equal_bytes_are_exact():
    same = Fixed([[1, 2], [4, 3]])
    result = compare(same, same, OUT, Q)
    assert (result.exact, result.equal, result.worst, result.argmax) == (True, 1.0, 0, 1.0)
    gate(result, "net", 1.0)


def test_differences_are_counted_in_levels():
    result = compare(Fixed([[1, 2], [4, 3]]), Fixed([[1, 2], [2, 3]]), OUT, Q)
    assert (result.exact, result.equal, result.worst, result.argmax) == (False, 0.75, 2, 0.5)
    with pytest.raises(GateFailed, match=r"export of net refused: .*every byte must agree"):
        gate(result, "net", 1.0)
    with pytest.raises(GateFailed, match=r"80\.0% of predictions must agree"):
        gate(result, "net", 0.8)
    gate(result, "net", 0.5)


def test_logits_beyond_the_grid_are_a_difference_not_clipped_away():
    result = compare(
        Fixed([[127, 0], [0, 0]], real=[[1000, 0.5], [0.5, 0.5]]), Fixed([[127, 0], [0, 0]]), OUT, Q
    )
    assert result.worst > 1000
