"""Records of the operators over height and width without weights: pools, MEAN and PAD."""

from __future__ import annotations

import numpy as np

from tinyrobust.core.abi.plan import (
    MAX_COUNT_S16,
    MAX_DIM,
    MAX_EXTENT,
    MAX_MEAN_COUNT,
    Mean,
    Pad,
    Pool,
)
from tinyrobust.models.plan import fixed_point
from tinyrobust.models.plan.operators.checks import (
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
from tinyrobust.models.tflite.reader import Tensor, type_name
from tinyrobust.models.tflite.schema import OPERATOR


def pool(o: Checked) -> Pool:
    """AVERAGE_POOL_2D and MAX_POOL_2D."""
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


def mean(o: Checked) -> Mean:
    """MEAN over height and width."""
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


def pad(o: Checked) -> Pad:
    """PAD of up to four dimensions with the zero point."""
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


def _int32(t: Tensor) -> list[int]:
    if t.tflite_type != INT32 or t.size > 2 * 4:
        fail(
            f"tensor {t.index} ({t.name}) is {type_name(t)}{list(t.shape)}, a short INT32 list is "
            "supported"
        )
    return [int(v) for v in t.constant(np.int32).reshape(-1)]
