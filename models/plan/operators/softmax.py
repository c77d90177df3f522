"""Records of SOFTMAX: on int8 by fixed-point exponentials, on int16 by two tables."""

from __future__ import annotations

from tinyrobust.core.abi.plan import MAX_SOFTMAX_ROW, MAX_TABLE_SHIFT, Kind, Softmax, SoftmaxTable
from tinyrobust.models.plan import fixed_point
from tinyrobust.models.plan.operators import softmax_tables
from tinyrobust.models.plan.operators.checks import Checked, fail, scale, zero_point
from tinyrobust.models.tflite.reader import Tensor


def softmax(o: Checked) -> Softmax | SoftmaxTable:
    """SOFTMAX over rows of the last dimension."""
    x = o.activation(0)
    if x.shape != o.out.shape:
        fail(f"its shapes {list(x.shape)} and {list(o.out.shape)} differ")
    row = x.shape[-1]
    if o.wide:
        return _softmax_table(o, x, row)
    if scale(o.out) != 1 / 256 or zero_point(o.out) != -128:
        fail("its output is not quantized with scale 1/256, zero point -128")
    if row > MAX_SOFTMAX_ROW:
        fail(
            f"its rows have {row} values; from {MAX_SOFTMAX_ROW + 1} on int8 SOFTMAX is undefined "
            "in TFLite's kernels, leave it out and let the network end with its logits"
        )
    p = fixed_point.softmax_params(scale(x), o.options.Beta())
    return Softmax(
        head=o.head(Kind.SOFTMAX_S8),
        input=o.at(x),
        rows=x.size // row,
        row_size=row,
        multiplier=p.multiplier.q31,
        shift=p.multiplier.shift,
        diff_min=p.diff_min,
    )


def _softmax_table(o: Checked, x: Tensor, row: int) -> SoftmaxTable:
    if abs(scale(o.out) * 32768 - 1) > 0.001:
        fail("its output is not quantized with scale 1/32768")
    m = fixed_point.softmax_table_multiplier(scale(x), o.options.Beta())
    if m.shift > MAX_TABLE_SHIFT:
        fail(f"beta * scale = {o.options.Beta() * scale(x)} is too large")
    return SoftmaxTable(
        head=o.head(Kind.SOFTMAX_S16),
        input=o.at(x),
        rows=x.size // row,
        row_size=row,
        multiplier=m.q31,
        shift=m.shift,
        exponential=o.constants.share(softmax_tables.exponential()),
        reciprocal=o.constants.share(softmax_tables.reciprocal()),
    )
