"""Records of the operators without weights, and the table of every supported operator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyrobust.core.abi.plan import (
    MAX_COUNT_S16,
    MAX_DIM,
    MAX_EXTENT,
    MAX_MEAN_COUNT,
    MAX_SOFTMAX_ROW,
    MAX_TABLE_SHIFT,
    Add,
    Kind,
    Mean,
    Pad,
    Pool,
    Quantize,
    Record,
    Reshape,
    Softmax,
    SoftmaxTable,
)
from tinyrobust.models.plan import fixed_point, softmax_tables
from tinyrobust.models.plan.checks import (
    INT32,
    Checked,
    fail,
    is_same,
    nhwc,
    same_quantization,
    scale,
    sliding,
    within,
    zero_point,
)
from tinyrobust.models.plan.conv import convolution, dense, depthwise
from tinyrobust.models.tflite.reader import Operator, Tensor, type_name
from tinyrobust.models.tflite.schema import OPERATOR, schema


def _add(o: Checked) -> Add:
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


def _pool(o: Checked) -> Pool:
    x, opt = o.activation(0), o.options
    in_h, in_w, channels = nhwc(x)
    same_quantization(x, o.out)
    kernel, stride = (opt.FilterHeight(), opt.FilterWidth()), (opt.StrideH(), opt.StrideW())
    rows, cols = sliding((in_h, in_w), kernel, stride, (1, 1), is_same(opt.Padding()))
    within("its number of channels", MAX_EXTENT, channels)
    if o.wide:
        within("its window's elements", MAX_COUNT_S16, kernel[0] * kernel[1])
    o.expect_output((1, rows.out, cols.out, channels))
    act_min, act_max = o.act_range(opt.FusedActivationFunction())
    return Pool(
        head=o.head(o.kind(OPERATOR[o.op.code])),
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
    within("height times width", MAX_COUNT_S16 if o.wide else MAX_MEAN_COUNT, in_h * in_w)
    m = fixed_point.mean_multiplier(scale(x), scale(o.out), in_h * in_w)
    return Mean(
        head=o.head(o.kind("MEAN")),
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
        head=o.head(o.kind("PAD")),
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


def _softmax(o: Checked) -> Softmax | SoftmaxTable:
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
            "in "
            "TFLite's kernels, leave it out and let the network end with its logits"
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


def _quantize(o: Checked) -> Quantize:
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


def _int32(t: Tensor) -> list[int]:
    if t.tflite_type != INT32 or t.size > 2 * 4:
        fail(
            f"tensor {t.index} ({t.name}) is {type_name(t)}{list(t.shape)}, a short INT32 list is "
            "supported"
        )
    return [int(v) for v in t.constant(np.int32).reshape(-1)]


_OP = schema.BuiltinOperator
_BUILDERS: dict[int, Callable[[Checked], Record]] = {
    _OP.CONV_2D: convolution,
    _OP.DEPTHWISE_CONV_2D: depthwise,
    _OP.FULLY_CONNECTED: dense,
    _OP.ADD: _add,
    _OP.AVERAGE_POOL_2D: _pool,
    _OP.MAX_POOL_2D: _pool,
    _OP.MEAN: _mean,
    _OP.PAD: _pad,
    _OP.RESHAPE: _reshape,
    _OP.SOFTMAX: _softmax,
    _OP.QUANTIZE: _quantize,
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
