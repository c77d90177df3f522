"""Records of the operators with weights: CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.abi.plan import (
    MAX_COLUMN,
    MAX_DIM,
    MAX_EXTENT,
    MAX_SHIFT_S16,
    WIDE_SUMS,
    Conv,
    DepthwiseConv,
    FullyConnected,
    Kind,
)
from tinyrobust.models.plan import fixed_point
from tinyrobust.models.plan.checks import (
    INT8,
    INT32,
    INT64,
    Checked,
    check_scales,
    fail,
    is_same,
    nhwc,
    scale,
    sliding,
    within,
    zero_point,
)
from tinyrobust.models.tflite.reader import Tensor, type_name
from tinyrobust.models.tflite.schema import TENSOR_TYPE, schema

_PER_TENSOR = (Kind.FULLY_CONNECTED_S8, Kind.FULLY_CONNECTED_S16)
_WIDE_SUM = 1 << 47
"""TFLite's rounding from int64 is defined below this."""
_FAST_COLUMNS = 512
"""FULLY_CONNECTED on int16: CMSIS-NN adds the products of so many columns in int32 before it goes
on in int64.
"""


def convolution(o: Checked) -> Conv:
    """CONV_2D. Grouped convolution is refused."""
    x, w, opt = o.activation(0), o.tensor(1), o.options
    in_h, in_w, in_c = nhwc(x)
    if len(w.shape) != 4 or w.shape[3] != in_c:
        fail(
            f"its weights {list(w.shape)} do not fit {in_c} input channels; groups are not "
            "supported"
        )
    g = _geometry(o, (in_h, in_w), (w.shape[1], w.shape[2]), w.shape[0], opt)
    within("its number of channels", MAX_EXTENT, in_c)
    head = o.head(conv_kind(o))
    return Conv(head=head, input=o.at(x), in_c=in_c, **g, **_arithmetic(o, x, w, 0, head.kind))


def depthwise(o: Checked) -> DepthwiseConv:
    """DEPTHWISE_CONV_2D with any channel multiplier."""
    x, w, opt = o.activation(0), o.tensor(1), o.options
    in_h, in_w, in_c = nhwc(x)
    if len(w.shape) != 4 or w.shape[0] != 1 or w.shape[3] % in_c:
        fail(f"its weights {list(w.shape)} do not fit {in_c} input channels")
    g = _geometry(o, (in_h, in_w), (w.shape[1], w.shape[2]), w.shape[3], opt)
    if len(o.op.inputs) > 2 and not o.has(2):
        fail(
            "its bias is the absent tensor -1, at which tflite-micro crashes; leave the input out, "
            "or give zeros"
        )
    head, ch_mult = o.head(o.kind("DEPTHWISE_CONV_2D")), w.shape[3] // in_c
    a = _arithmetic(o, x, w, 3, head.kind)
    return DepthwiseConv(head=head, input=o.at(x), in_c=in_c, ch_mult=ch_mult, **g, **a)


def conv_kind(o: Checked) -> Kind:
    """CONV_2D by how it accumulates: for int16, as TFLite Micro, in the type of its bias."""
    return Kind.CONV_2D_S16_B32 if o.wide and _is_int32(o) else o.kind("CONV_2D")


def dense_kind(o: Checked) -> Kind:
    """The kind of a FULLY_CONNECTED, which may become a convolution over one pixel.

    It does so with a scale per output, or with an int32 bias on int16.
    """
    per_channel = o.tensor(1).scales.size > 1
    return conv_kind(o) if per_channel or (o.wide and _is_int32(o)) else o.kind("FULLY_CONNECTED")


def _is_int32(o: Checked) -> bool:
    if o.has(2):
        return bool(o.tensor(2).tflite_type == INT32)
    return bool(o.options.QuantizedBiasType() == INT32)


def dense(o: Checked) -> FullyConnected | Conv:
    """FULLY_CONNECTED over one row: see ``dense_kind``."""
    x, w, opt = o.activation(0), o.tensor(1), o.options
    if len(w.shape) != 2 or x.size != w.shape[1]:
        fail(f"its weights {list(w.shape)} do not fit an input of {x.size}; one row is supported")
    if opt.WeightsFormat() != schema.FullyConnectedOptionsWeightsFormat.DEFAULT:
        fail("its weights are shuffled, which is not supported")
    out_c, depth = w.shape
    if o.out.size != out_c:
        fail(f"its output has {o.out.size} elements, its weights {out_c} rows")
    kind = dense_kind(o)
    a = _arithmetic(o, x, w, 0, kind)
    if kind in _PER_TENSOR:
        within("its weights' shape", MAX_DIM, out_c, depth)
        return FullyConnected(head=o.head(kind), input=o.at(x), depth=depth, out_c=out_c, **a)
    within("its weights' shape (per channel)", MAX_EXTENT, out_c, depth)
    return Conv(head=o.head(kind), input=o.at(x), in_c=depth, **_one_pixel(out_c), **a)


def _one_pixel(out_c: int) -> dict[str, int]:
    ones = [
        "in_h",
        "in_w",
        "k_h",
        "k_w",
        "out_h",
        "out_w",
        "stride_h",
        "stride_w",
        "dilation_h",
        "dilation_w",
    ]
    return dict.fromkeys(ones, 1) | {"pad_h": 0, "pad_w": 0, "out_c": out_c}


def _geometry(
    o: Checked, size: tuple[int, int], kernel: tuple[int, int], out_c: int, opt: Any
) -> dict[str, int]:
    stride, dilation = (
        (opt.StrideH(), opt.StrideW()),
        (opt.DilationHFactor(), opt.DilationWFactor()),
    )
    rows, cols = sliding(size, kernel, stride, dilation, is_same(opt.Padding()))
    within("its number of channels", MAX_EXTENT, out_c)
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


def _arithmetic(o: Checked, x: Tensor, w: Tensor, axis: int, kind: int) -> dict[str, int]:
    """Offsets, clamp and the addresses of weights, bias and per-channel requantization.

    ``axis`` is that of the outputs.
    """
    weights = _weights(w, axis)
    channels = weights.shape[axis]
    bias = _bias(o, channels, kind in WIDE_SUMS)
    rows = np.moveaxis(weights, axis, 0).reshape(channels, -1)
    if rows.shape[1] > MAX_COLUMN and kind not in _PER_TENSOR:
        fail(
            f"its kernel has {rows.shape[1]} weights per output, at most {MAX_COLUMN} are supported"
        )
    scales = np.broadcast_to(w.scales.astype(np.float64), channels)
    each = [fixed_point.conv_multiplier(scale(x), float(s), scale(o.out)) for s in scales]
    _check_accumulator(x, rows, bias, each)
    act_min, act_max = o.act_range(o.options.FusedActivationFunction())
    out = {
        "input_offset": -zero_point(x),
        "output_offset": zero_point(o.out),
        "act_min": act_min,
        "act_max": act_max,
        "weights": o.constants.add(weights),
        "bias": o.constants.add(bias),
    }
    if kind in _PER_TENSOR:
        return out | {"multiplier": each[0].q31, "shift": each[0].shift}
    out["multiplier"] = o.constants.add(np.array([m.q31 for m in each], np.int32))
    out["shift"] = o.constants.add(np.array([m.shift for m in each], np.int32))
    return out


def _weights(t: Tensor, axis: int) -> NDArray[np.int8]:
    if t.tflite_type != INT8:
        fail(f"its weights are {type_name(t)}, INT8 is supported")
    if t.zero_points.any():
        fail("its weights have a zero point other than 0")
    channels = t.shape[axis]
    if (
        t.size == 0
        or t.scales.size not in (1, channels)
        or t.zero_points.size not in (0, t.scales.size)
    ):
        fail(
            f"its weights {list(t.shape)} have {t.scales.size} scales and {t.zero_points.size} "
            "zero points"
        )
    if t.scales.size > 1 and t.quantized_dimension != axis:
        fail(
            f"its weights are quantized along dimension {t.quantized_dimension}, {axis} is "
            "supported"
        )
    check_scales(t)
    return t.constant(np.int8)


def _bias(o: Checked, channels: int, wide: bool) -> NDArray[np.integer[Any]]:
    dtype: type[np.integer[Any]] = np.int64 if wide else np.int32
    if not o.has(2):
        return np.zeros(channels, dtype)
    t, expected = o.tensor(2), INT64 if wide else INT32
    if t.tflite_type != expected or t.size != channels:
        fail(
            f"its bias is {type_name(t)}{list(t.shape)}, {TENSOR_TYPE[expected]}[{channels}] is "
            "supported"
        )
    return t.constant(dtype).reshape(-1)


def _check_accumulator(
    x: Tensor,
    weights: NDArray[np.int8],
    bias: NDArray[Any],
    scaling: Sequence[fixed_point.Multiplier],
) -> None:
    """``weights`` [channels, n].

    Overflow of the kernels' sums is undefined: refuse what could reach it.
    """
    size = np.abs(weights.astype(np.int64))
    if bias.dtype == np.int32:
        reach = 32768 if x.tflite_type != INT8 else max(127 - zero_point(x), zero_point(x) + 128)
        worst = size.sum(axis=1) * reach + np.abs(bias.astype(np.int64))
        if worst.max() > fixed_point.INT32_MAX:
            fail(
                f"the sum of channel {int(worst.argmax())} can reach {int(worst.max())}, more than "
                "int32 holds"
            )
        return
    if size[:, :_FAST_COLUMNS].sum(axis=1).max() * 32768 > fixed_point.INT32_MAX:
        fail(f"its first {_FAST_COLUMNS} products can add up to more than int32 holds")
    if np.abs(bias // 2).max() >= _WIDE_SUM // 2:
        fail("its bias does not fit into 48 bits")
    worst = size.sum(axis=1) * 32768 + np.abs(bias)
    if worst.max() >= _WIDE_SUM:
        fail(
            f"the sum of channel {int(worst.argmax())} can reach {int(worst.max())}, more than 48 "
            "bits hold"
        )
    if max(m.shift for m in scaling) > MAX_SHIFT_S16:
        fail(f"its scales need a left shift beyond {MAX_SHIFT_S16}")
    if any(int(sum_) * m.real >= 1 << 30 for sum_, m in zip(worst, scaling, strict=True)):
        fail("its scaled sums can leave 31 bits, where kernels differ")
