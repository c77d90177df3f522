"""Records of the operators without weights, and the table of every supported operator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models import fixed_point
from models.graph import Operator, Tensor, type_name
from models.plan_checks import INT32, Checked, fail, is_same, nhwc, positive, same_quantization, scale, zero_point
from models.plan_conv import convolution, dense, depthwise, is_per_channel
from models.plan_layout import MAX_DIM, Add, Kind, Mean, Pad, Pool, Quantize, Record, Reshape, Softmax
from models.schema import schema


def _add(o: Checked) -> Add:
    x, y = o.activation(0), o.activation(1)
    if not x.shape == y.shape == o.out.shape:
        fail(f"its shapes {list(x.shape)} and {list(y.shape)} differ; broadcasting is not supported")
    p = fixed_point.add_params(scale(x), scale(y), scale(o.out))
    act_min, act_max = o.act_range(o.options.FusedActivationFunction())
    return Add(
        head=o.head(Kind.ADD_S8),
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


def _pool(o: Checked, kind: Kind) -> Pool:
    x, opt = o.activation(0), o.options
    in_h, in_w, channels = nhwc(x)
    same_quantization(x, o.out)
    kernel, stride = (opt.FilterHeight(), opt.FilterWidth()), (opt.StrideH(), opt.StrideW())
    positive("its window", *kernel)
    positive("its stride", *stride)
    rows = fixed_point.window(in_h, kernel[0], stride[0], 1, is_same(opt.Padding()))
    cols = fixed_point.window(in_w, kernel[1], stride[1], 1, is_same(opt.Padding()))
    o.expect_output((1, rows.out, cols.out, channels))
    act_min, act_max = o.act_range(opt.FusedActivationFunction())
    return Pool(
        head=o.head(kind),
        input=o.at(x),
        in_h=in_h,
        in_w=in_w,
        channels=channels,
        k_h=kernel[0],
        k_w=kernel[1],
        out_h=rows.out,
        out_w=cols.out,
        stride_h=stride[0],
        stride_w=stride[1],
        pad_h=rows.pad,
        pad_w=cols.pad,
        act_min=act_min,
        act_max=act_max,
    )


def _mean(o: Checked) -> Mean:
    x, axes = o.activation(0), _int32(o.tensor(1))
    in_h, in_w, channels = nhwc(x)
    if sorted(a + 4 if a < 0 else a for a in axes) != [1, 2]:
        fail(f"it reduces axes {axes}, height and width (1, 2) are supported")
    if o.out.size != channels:
        fail(f"its output has {o.out.size} elements for {channels} channels")
    m = fixed_point.mean_multiplier(scale(x), scale(o.out), in_h * in_w)
    return Mean(
        head=o.head(Kind.MEAN_S8),
        input=o.at(x),
        in_h=in_h,
        in_w=in_w,
        channels=channels,
        input_zero_point=zero_point(x),
        output_zero_point=zero_point(o.out),
        multiplier=m.q31,
        shift=m.shift,
    )


def _pad(o: Checked) -> Pad:
    x, widths = o.activation(0), _int32(o.tensor(1))
    same_quantization(x, o.out)
    rank = len(x.shape)
    if len(widths) != 2 * rank or not all(0 <= w <= MAX_DIM for w in widths):
        fail(f"its paddings are {widths} for {rank} dimensions")
    before, after = tuple(widths[0::2]), tuple(widths[1::2])
    if rank == 4 and before[0] + after[0]:
        fail("it pads the batch, which is not supported")
    o.expect_output(tuple(b + n + a for b, n, a in zip(before, x.shape, after, strict=True)))
    lead = 4 - rank
    return Pad(
        head=o.head(Kind.PAD_S8),
        input=o.at(x),
        in_dims=(1,) * lead + x.shape,
        before=(0,) * lead + before,
        after=(0,) * lead + after,
        value=zero_point(o.out),
    )


def _reshape(o: Checked) -> Reshape:
    x = o.activation(0)
    if x.size != o.out.size:
        fail(f"it makes {o.out.size} elements of {x.size}")
    return Reshape(head=o.head(Kind.RESHAPE), input=o.at(x))


def _softmax(o: Checked) -> Softmax:
    x = o.activation(0)
    if x.shape != o.out.shape:
        fail(f"its shapes {list(x.shape)} and {list(o.out.shape)} differ")
    if scale(o.out) != 1 / 256 or zero_point(o.out) != -128:
        fail("its output is not quantized with scale 1/256, zero point -128")
    p = fixed_point.softmax_params(scale(x), o.options.Beta())
    row = x.shape[-1]
    return Softmax(
        head=o.head(Kind.SOFTMAX_S8),
        input=o.at(x),
        rows=x.size // row,
        row_size=row,
        multiplier=p.multiplier.q31,
        shift=p.multiplier.shift,
        diff_min=p.diff_min,
    )


def _quantize(o: Checked) -> Quantize:
    x = o.activation(0)
    if x.size != o.out.size:
        fail(f"it makes {o.out.size} elements of {x.size}")
    m = fixed_point.quantize_multiplier(scale(x) / scale(o.out))
    return Quantize(
        head=o.head(Kind.QUANTIZE_S8),
        input=o.at(x),
        count=x.size,
        input_zero_point=zero_point(x),
        output_zero_point=zero_point(o.out),
        multiplier=m.q31,
        shift=m.shift,
    )


def _int32(t: Tensor) -> list[int]:
    if t.tflite_type != INT32 or t.size > 2 * 4:
        fail(f"tensor {t.index} ({t.name}) is {type_name(t)}{list(t.shape)}, a short INT32 list is supported")
    return [int(v) for v in t.constant(np.int32).reshape(-1)]


_OP = schema.BuiltinOperator
_BUILDERS: dict[int, tuple[Kind, Callable[[Checked], Record]]] = {
    _OP.CONV_2D: (Kind.CONV_2D_S8, convolution),
    _OP.DEPTHWISE_CONV_2D: (Kind.DEPTHWISE_CONV_2D_S8, depthwise),
    _OP.FULLY_CONNECTED: (Kind.FULLY_CONNECTED_S8, dense),
    _OP.ADD: (Kind.ADD_S8, _add),
    _OP.AVERAGE_POOL_2D: (Kind.AVERAGE_POOL_2D_S8, lambda o: _pool(o, Kind.AVERAGE_POOL_2D_S8)),
    _OP.MAX_POOL_2D: (Kind.MAX_POOL_2D_S8, lambda o: _pool(o, Kind.MAX_POOL_2D_S8)),
    _OP.MEAN: (Kind.MEAN_S8, _mean),
    _OP.PAD: (Kind.PAD_S8, _pad),
    _OP.RESHAPE: (Kind.RESHAPE, _reshape),
    _OP.SOFTMAX: (Kind.SOFTMAX_S8, _softmax),
    _OP.QUANTIZE: (Kind.QUANTIZE_S8, _quantize),
}


def kind_of(o: Checked) -> Kind:
    """Which record the operator becomes. Raises ValueError for an operator that is not supported."""
    if o.op.code not in _BUILDERS:
        fail("this operator is not supported")
    kind = _BUILDERS[o.op.code][0]
    return Kind.CONV_2D_S8 if kind == Kind.FULLY_CONNECTED_S8 and is_per_channel(o) else kind


def record_of(o: Checked) -> Record:
    """The operator's record; its constants are appended to ``o.constants``. Raises ValueError on a refusal."""
    return _BUILDERS[o.op.code][1](o)


def aliases_input(op: Operator) -> bool:
    """Whether the output may share its input's bytes, so that nothing is copied."""
    return bool(op.code == _OP.RESHAPE)
