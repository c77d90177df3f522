"""Records of the operators with weights: CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from tinyrobust.core.abi.plan import MAX_DIM, MAX_EXTENT, Conv, DepthwiseConv, FullyConnected, Kind
from tinyrobust.models.plan.operators.arithmetic import PER_TENSOR, arithmetic
from tinyrobust.models.plan.operators.checks import (
    INT32,
    Checked,
    fail,
    is_same,
    nhwc,
    sliding,
    within,
)
from tinyrobust.models.tflite.schema import schema


def convolution(o: Checked) -> Conv:
    """CONV_2D. Grouped convolution is refused."""
    x, w = o.activation(0), o.tensor(1)
    in_h, in_w, in_c = nhwc(x)
    if len(w.shape) != 4 or w.shape[3] != in_c:
        fail(
            f"its weights {list(w.shape)} do not fit {in_c} input channels; groups are not "
            "supported"
        )
    g = _geometry(o, (in_h, in_w), (w.shape[1], w.shape[2]), w.shape[0])
    within("its number of channels", MAX_EXTENT, in_c)
    head = o.head(conv_kind(o))
    a = arithmetic(o, x, w, 0, head.kind)
    return Conv(head=head, input=o.at(x), in_c=in_c, **asdict(g), **asdict(a))


def depthwise(o: Checked) -> DepthwiseConv:
    """DEPTHWISE_CONV_2D with any channel multiplier."""
    x, w = o.activation(0), o.tensor(1)
    in_h, in_w, in_c = nhwc(x)
    if len(w.shape) != 4 or w.shape[0] != 1 or w.shape[3] % in_c:
        fail(f"its weights {list(w.shape)} do not fit {in_c} input channels")
    g = _geometry(o, (in_h, in_w), (w.shape[1], w.shape[2]), w.shape[3])
    if len(o.op.inputs) > 2 and not o.has(2):
        fail(
            "its bias is the absent tensor -1, at which tflite-micro crashes; leave the input out, "
            "or give zeros"
        )
    head, ch_mult = o.head(o.kind("DEPTHWISE_CONV_2D")), w.shape[3] // in_c
    a = arithmetic(o, x, w, 3, head.kind)
    return DepthwiseConv(
        head=head, input=o.at(x), in_c=in_c, ch_mult=ch_mult, **asdict(g), **asdict(a)
    )


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
    a = asdict(arithmetic(o, x, w, 0, kind))
    if kind in PER_TENSOR:
        within("its weights' shape", MAX_DIM, out_c, depth)
        return FullyConnected(head=o.head(kind), input=o.at(x), depth=depth, out_c=out_c, **a)
    within("its weights' shape (per channel)", MAX_EXTENT, out_c, depth)
    return Conv(head=o.head(kind), input=o.at(x), in_c=depth, **asdict(_Geometry(out_c)), **a)


@dataclass(frozen=True)
class _Geometry:
    """A window over an image, in the words of the plan's records.

    What is left out is that of an image of one pixel.
    """

    out_c: int
    in_h: int = 1
    in_w: int = 1
    k_h: int = 1
    k_w: int = 1
    out_h: int = 1
    out_w: int = 1
    stride_h: int = 1
    stride_w: int = 1
    pad_h: int = 0
    pad_w: int = 0
    dilation_h: int = 1
    dilation_w: int = 1


def _geometry(o: Checked, size: tuple[int, int], kernel: tuple[int, int], out_c: int) -> _Geometry:
    opt = o.options
    stride = opt.StrideH(), opt.StrideW()
    dilation = opt.DilationHFactor(), opt.DilationWFactor()
    rows, cols = sliding(size, kernel, stride, dilation, is_same(opt.Padding()))
    within("its number of channels", MAX_EXTENT, out_c)
    o.expect_output((1, rows.out, cols.out, out_c))
    return _Geometry(
        out_c, *size, *kernel, rows.out, cols.out, *stride, rows.pad, cols.pad, *dilation
    )
