"""Records of the operators with weights: CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import fixed_point
from models.graph import Tensor, type_name
from models.plan_checks import INT8, INT32, Checked, check_scales, fail, is_same, nhwc, positive, scale, zero_point
from models.plan_layout import Conv, DepthwiseConv, FullyConnected, Kind
from models.schema import schema


def convolution(o: Checked) -> Conv:
    """CONV_2D. Grouped convolution is refused."""
    x, w, opt = o.activation(0), o.tensor(1), o.options
    in_h, in_w, in_c = nhwc(x)
    if len(w.shape) != 4 or w.shape[3] != in_c:
        fail(f"its weights {list(w.shape)} do not fit {in_c} input channels; groups are not supported")
    g = _geometry(o, (in_h, in_w), (w.shape[1], w.shape[2]), w.shape[0], opt)
    return Conv(head=o.head(Kind.CONV_2D_S8), input=o.at(x), in_c=in_c, **g, **_arithmetic(o, x, w, 0, opt))


def depthwise(o: Checked) -> DepthwiseConv:
    """DEPTHWISE_CONV_2D with any channel multiplier."""
    x, w, opt = o.activation(0), o.tensor(1), o.options
    in_h, in_w, in_c = nhwc(x)
    if len(w.shape) != 4 or w.shape[0] != 1 or w.shape[3] % in_c:
        fail(f"its weights {list(w.shape)} do not fit {in_c} input channels")
    g = _geometry(o, (in_h, in_w), (w.shape[1], w.shape[2]), w.shape[3], opt)
    head, ch_mult = o.head(Kind.DEPTHWISE_CONV_2D_S8), w.shape[3] // in_c
    return DepthwiseConv(head=head, input=o.at(x), in_c=in_c, ch_mult=ch_mult, **g, **_arithmetic(o, x, w, 3, opt))


def is_per_channel(o: Checked) -> bool:
    """Whether a FULLY_CONNECTED has a scale per output."""
    return o.tensor(1).scales.size > 1


def dense(o: Checked) -> FullyConnected | Conv:
    """FULLY_CONNECTED over one row; with a scale per output it becomes a 1x1 convolution over one pixel."""
    x, w, opt = o.activation(0), o.tensor(1), o.options
    if len(w.shape) != 2 or x.size != w.shape[1]:
        fail(f"its weights {list(w.shape)} do not fit an input of {x.size}; one row is supported")
    if opt.WeightsFormat() != schema.FullyConnectedOptionsWeightsFormat.DEFAULT:
        fail("its weights are shuffled, which is not supported")
    out_c, depth = w.shape
    positive("its weights' shape", out_c, depth)
    if o.out.size != out_c:
        fail(f"its output has {o.out.size} elements, its weights {out_c} rows")
    a = _arithmetic(o, x, w, 0, opt)
    if is_per_channel(o):
        return Conv(head=o.head(Kind.CONV_2D_S8), input=o.at(x), in_c=depth, **_one_pixel(out_c), **a)
    m = fixed_point.conv_multiplier(scale(x), scale(w), scale(o.out))
    a |= {"multiplier": m.q31, "shift": m.shift}
    return FullyConnected(head=o.head(Kind.FULLY_CONNECTED_S8), input=o.at(x), depth=depth, out_c=out_c, **a)


def _one_pixel(out_c: int) -> dict[str, int]:
    ones = ["in_h", "in_w", "k_h", "k_w", "out_h", "out_w", "stride_h", "stride_w", "dilation_h", "dilation_w"]
    return dict.fromkeys(ones, 1) | {"pad_h": 0, "pad_w": 0, "out_c": out_c}


def _geometry(o: Checked, size: tuple[int, int], kernel: tuple[int, int], out_c: int, opt: Any) -> dict[str, int]:
    stride, dilation = (opt.StrideH(), opt.StrideW()), (opt.DilationHFactor(), opt.DilationWFactor())
    positive("its kernel", *kernel, out_c)
    positive("its stride", *stride)
    positive("its dilation", *dilation)
    same = is_same(opt.Padding())
    rows = fixed_point.window(size[0], kernel[0], stride[0], dilation[0], same)
    cols = fixed_point.window(size[1], kernel[1], stride[1], dilation[1], same)
    o.expect_output((1, rows.out, cols.out, out_c))
    return {
        "in_h": size[0],
        "in_w": size[1],
        "k_h": kernel[0],
        "k_w": kernel[1],
        "out_h": rows.out,
        "out_w": cols.out,
        "out_c": out_c,
        "stride_h": stride[0],
        "stride_w": stride[1],
        "pad_h": rows.pad,
        "pad_w": cols.pad,
        "dilation_h": dilation[0],
        "dilation_w": dilation[1],
    }


def _arithmetic(o: Checked, x: Tensor, w: Tensor, axis: int, opt: Any) -> dict[str, int]:
    """Offsets, clamp and the addresses of weights, bias and per-channel requantization; ``axis`` is the outputs'."""
    weights = _weights(w, axis)
    channels = weights.shape[axis]
    bias = _bias(o, channels)
    _check_accumulator(x, np.moveaxis(weights, axis, 0).reshape(channels, -1), bias)
    act_min, act_max = o.act_range(opt.FusedActivationFunction())
    out = {
        "input_offset": -zero_point(x),
        "output_offset": zero_point(o.out),
        "act_min": act_min,
        "act_max": act_max,
        "weights": o.constants.add(weights),
        "bias": o.constants.add(bias),
    }
    if weights.ndim == 4 or w.scales.size > 1:
        scales = np.broadcast_to(w.scales.astype(np.float64), channels)
        each = [fixed_point.conv_multiplier(scale(x), float(s), scale(o.out)) for s in scales]
        out["multiplier"] = o.constants.add(np.array([m.q31 for m in each], np.int32))
        out["shift"] = o.constants.add(np.array([m.shift for m in each], np.int32))
    return out


def _weights(t: Tensor, axis: int) -> NDArray[np.int8]:
    if t.tflite_type != INT8:
        fail(f"its weights are {type_name(t)}, INT8 is supported")
    if t.zero_points.any():
        fail("its weights have a zero point other than 0")
    channels = t.shape[axis]
    if t.size == 0 or t.scales.size not in (1, channels) or t.zero_points.size not in (0, t.scales.size):
        fail(f"its weights {list(t.shape)} have {t.scales.size} scales and {t.zero_points.size} zero points")
    if t.scales.size > 1 and t.quantized_dimension != axis:
        fail(f"its weights are quantized along dimension {t.quantized_dimension}, {axis} is supported")
    check_scales(t)
    return t.constant(np.int8)


def _bias(o: Checked, channels: int) -> NDArray[np.int32]:
    if not o.has(2):
        return np.zeros(channels, np.int32)
    t = o.tensor(2)
    if t.tflite_type != INT32 or t.size != channels:
        fail(f"its bias is {type_name(t)}{list(t.shape)}, INT32[{channels}] is supported")
    return t.constant(np.int32).reshape(-1)


def _check_accumulator(x: Tensor, weights: NDArray[np.int8], bias: NDArray[np.int32]) -> None:
    """``weights`` [channels, n]. The kernels add in int32, where overflow is undefined: refuse what could reach it."""
    reach = max(127 - zero_point(x), zero_point(x) + 128)
    worst = np.abs(weights.astype(np.int64)).sum(axis=1) * reach + np.abs(bias.astype(np.int64))
    if worst.max() > fixed_point.INT32_MAX:
        fail(f"the sum of channel {int(worst.argmax())} can reach {int(worst.max())}, more than int32 holds")
