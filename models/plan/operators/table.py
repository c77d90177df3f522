"""Every operator that is supported, and what makes its record."""

from __future__ import annotations

from collections.abc import Callable

from tinyrobust.core.abi.plan import Record
from tinyrobust.models.plan.operators.checks import Checked, fail
from tinyrobust.models.plan.operators.pointwise import add, quantize, reshape
from tinyrobust.models.plan.operators.softmax import softmax
from tinyrobust.models.plan.operators.weighted import convolution, dense, depthwise
from tinyrobust.models.plan.operators.windows import mean, pad, pool
from tinyrobust.models.tflite.reader import Operator
from tinyrobust.models.tflite.schema import schema

_OP = schema.BuiltinOperator
_BUILDERS: dict[int, Callable[[Checked], Record]] = {
    _OP.CONV_2D: convolution,
    _OP.DEPTHWISE_CONV_2D: depthwise,
    _OP.FULLY_CONNECTED: dense,
    _OP.ADD: add,
    _OP.AVERAGE_POOL_2D: pool,
    _OP.MAX_POOL_2D: pool,
    _OP.MEAN: mean,
    _OP.PAD: pad,
    _OP.RESHAPE: reshape,
    _OP.SOFTMAX: softmax,
    _OP.QUANTIZE: quantize,
}


def record_of(o: Checked) -> Record:
    """The operator's record; its constants are appended to ``o.constants``.

    Raises ValueError on an operator that is not supported.
    """
    if o.op.code not in _BUILDERS:
        fail("this operator is not supported")
    return _BUILDERS[o.op.code](o)


def aliases_input(op: Operator) -> bool:
    """Whether the output may share its input's bytes, so that nothing is copied."""
    return bool(op.code == _OP.RESHAPE)
