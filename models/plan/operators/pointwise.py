"""Records of the operators that take each element by itself: ADD, QUANTIZE and RESHAPE."""

from __future__ import annotations

from tinyrobust.core.abi.plan import Add, Kind, Quantize, Reshape
from tinyrobust.models.plan import fixed_point
from tinyrobust.models.plan.operators.checks import Checked, fail, scale, zero_point


def add(o: Checked) -> Add:
    """ADD of two tensors of one shape."""
    x, y = o.activation(0), o.activation(1)
    if not x.shape == y.shape == o.out.shape:
        fail(
            f"its shapes {list(x.shape)} and {list(y.shape)} differ; broadcasting is not supported"
        )
    p = fixed_point.add_params(scale(x), scale(y), scale(o.out), 15 if o.wide else 20)
    act_min, act_max = o.act_range(o.options.FusedActivationFunction())
    return Add(
        head=o.head(o.kind("ADD")),
        input1=o.at(x),
        input2=o.at(y),
        count=x.size,
        left_shift=p.left_shift,
        input1_offset=-zero_point(x),
        input1_multiplier=p.input1.q31,
        input1_shift=p.input1.shift,
        input2_offset=-zero_point(y),
        input2_multiplier=p.input2.q31,
        input2_shift=p.input2.shift,
        output_offset=zero_point(o.out),
        output_multiplier=p.output.q31,
        output_shift=p.output.shift,
        act_min=act_min,
        act_max=act_max,
    )


def quantize(o: Checked) -> Quantize:
    """QUANTIZE from one grid to another."""
    x = o.activation(0)
    if x.size != o.out.size:
        fail(f"it makes {o.out.size} elements of {x.size}")
    m = fixed_point.quantize_multiplier(scale(x) / scale(o.out))
    return Quantize(
        head=o.head(o.kind("QUANTIZE")),
        input=o.at(x),
        count=x.size,
        input_zero_point=zero_point(x),
        output_zero_point=zero_point(o.out),
        multiplier=m.q31,
        shift=m.shift,
    )


def reshape(o: Checked) -> Reshape:
    """RESHAPE to another shape of as many elements."""
    x = o.activation(0)
    if x.size != o.out.size:
        fail(f"it makes {o.out.size} elements of {x.size}")
    return Reshape(head=o.head(Kind.RESHAPE), input=o.at(x))
