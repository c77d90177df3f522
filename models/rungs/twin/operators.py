"""One plan record as TensorFlow, exact forward and straight-through backward.

Integers are held in float32.

Activations travel as float32 [n, size] of int8 or int16 values; each operator gives them the shape
it needs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.abi.plan import (
    S16,
    WIDE_SUMS,
    Add,
    Conv,
    DepthwiseConv,
    FullyConnected,
    Kind,
    Mean,
    Pad,
    Pool,
    Quantize,
    Record,
    Softmax,
    SoftmaxTable,
)
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.plan.reader import Program
from tinyrobust.models.rungs.twin.add import add
from tinyrobust.models.rungs.twin.exact_sums import exact_sums
from tinyrobust.models.rungs.twin.requantize import Factor, Output, Tensor, clamp
from tinyrobust.models.rungs.twin.softmax import softmax
from tinyrobust.models.rungs.twin.softmax_int16 import softmax_table
from tinyrobust.models.rungs.twin.staircase import ONCE, TWICE, requantize


def conv(p: Program, op: Conv, x: Tensor) -> Tensor:
    """CONV_2D."""
    w = p.constant(op.weights, np.int8, op.out_c, op.k_h, op.k_w, op.in_c).transpose(1, 2, 3, 0)
    kernel = _dilated(w, op.dilation_h, op.dilation_w)
    x = _nhwc(x, op.in_h, op.in_w, op.in_c) + op.input_offset
    padding = [(0, 0), *_reaches(op), (0, 0)]

    def product(x: Tensor) -> Tensor:
        return tf.nn.conv2d(x, tf.constant(kernel, x.dtype), (op.stride_h, op.stride_w), padding)

    return _scaled(p, op, exact_sums(x, _largest(op, op.input_offset), w, product, _bias(p, op)))


def depthwise(p: Program, op: DepthwiseConv, x: Tensor) -> Tensor:
    """DEPTHWISE_CONV_2D."""
    w = p.constant(op.weights, np.int8, op.k_h, op.k_w, op.in_c, op.ch_mult)
    x = _padded(_nhwc(x, op.in_h, op.in_w, op.in_c) + op.input_offset, op, 0)
    kernel = _dilated(w, op.dilation_h, op.dilation_w)
    largest, stride = _largest(op, op.input_offset), (op.stride_h, op.stride_w)
    return _scaled(p, op, _depthwise_sums(x, largest, kernel, stride, _bias(p, op)))


def dense(p: Program, op: FullyConnected, x: Tensor) -> Tensor:
    """FULLY_CONNECTED with per-tensor weights."""
    w = p.constant(op.weights, np.int8, op.out_c, op.depth).T

    def product(x: Tensor) -> Tensor:
        return tf.matmul(x, tf.constant(w, x.dtype))

    return _scaled(
        p,
        op,
        exact_sums(x + op.input_offset, _largest(op, op.input_offset), w, product, _bias(p, op)),
    )


def average_pool(op: Pool, x: Tensor) -> Tensor:
    """AVERAGE_POOL_2D: padding does not count; rounds half away from zero; no rescaling."""
    ones = np.ones((op.k_h, op.k_w, op.channels, 1), np.int8)
    x = _padded(_nhwc(x, op.in_h, op.in_w, op.channels), op, 0)
    sums = _depthwise_sums(x, _largest(op, 0), ones, (op.stride_h, op.stride_w))
    count = np.outer(
        _covered(op.in_h, op.k_h, op.stride_h, op.pad_h, op.out_h),
        _covered(op.in_w, op.k_w, op.stride_w, op.pad_w, op.out_w),
    )[..., None]

    def straight_through(sums: Tensor) -> tuple[Tensor, Any]:
        total = tf.cast(sums, tf.int64)
        nudged = total + tf.where(total > 0, count // 2, -(count // 2))
        y, is_open = clamp(tf.truncatediv(nudged, count), Output(0, op.act_min, op.act_max))

        def gradient(upstream: Tensor) -> Tensor:
            return tf.cast(upstream * is_open, sums.dtype) / tf.constant(count, sums.dtype)

        return y, gradient

    return tf.custom_gradient(straight_through)(sums)


def max_pool(op: Pool, x: Tensor) -> Tensor:
    """MAX_POOL_2D. Padding is the lowest value, so it never wins over one that is there."""
    x = _padded(_nhwc(x, op.in_h, op.in_w, op.channels), op, _ends(op)[0])
    top = tf.nn.max_pool2d(x, (op.k_h, op.k_w), (op.stride_h, op.stride_w), "VALID")
    return tf.clip_by_value(top, float(op.act_min), float(op.act_max))


def mean(op: Mean, x: Tensor) -> Tensor:
    """MEAN over height and width."""
    ones = np.ones((op.in_h * op.in_w, 1), np.int8)
    centred = tf.reshape(x, (-1, len(ones), op.channels)) - op.input_zero_point
    sums = exact_sums(
        centred, _largest(op, -op.input_zero_point), ones, lambda x: tf.reduce_sum(x, 1)
    )
    out = Output(op.output_zero_point, *_ends(op))
    return requantize(sums, Factor.of(op.multiplier, op.shift), out)


def pad(op: Pad, x: Tensor) -> Tensor:
    """PAD with the value that stands for 0."""
    widths = [(0, 0), *zip(op.before[1:], op.after[1:], strict=True)]
    return tf.pad(tf.reshape(x, (-1, *op.in_dims[1:])), widths, constant_values=float(op.value))


def quantize(op: Quantize, x: Tensor) -> Tensor:
    """QUANTIZE to another scale of the same type."""
    out = Output(op.output_zero_point, *_ends(op))
    return requantize(x - op.input_zero_point, Factor.of(op.multiplier, op.shift), out)


def _ends(op: Record) -> tuple[int, int]:
    """Lowest and highest value of the activations' type."""
    return (-32768, 32767) if op.head.kind in S16 else (-128, 127)


def _largest(op: Record, offset: int) -> int:
    """Magnitude that ``x + offset`` can reach."""
    low, high = _ends(op)
    return max(high + offset, -low - offset)


def _bias(p: Program, op: Conv | DepthwiseConv | FullyConnected) -> NDArray[np.int64]:
    return p.constant(
        op.bias, np.int64 if op.head.kind in WIDE_SUMS else np.int32, op.out_c
    ).astype(np.int64)


def _scaled(p: Program, op: Conv | DepthwiseConv | FullyConnected, sums: Tensor) -> Tensor:
    if isinstance(op, FullyConnected):
        factor = Factor.of(op.multiplier, op.shift)
    else:
        factor = Factor.of(
            *(p.constant(at, np.int32, op.out_c) for at in (op.multiplier, op.shift))
        )
    out = Output(op.output_offset, op.act_min, op.act_max)
    return requantize(sums, factor, out, ONCE if op.head.kind in WIDE_SUMS else TWICE)


def _nhwc(x: Tensor, height: int, width: int, channels: int) -> Tensor:
    return tf.reshape(x, (-1, height, width, channels))


def _padded(x: Tensor, op: DepthwiseConv | Pool, value: int) -> Tensor:
    """``x`` NHWC with what the windows reach before and after it."""
    rows, cols = _reaches(op)
    if not any(rows + cols):
        return x
    return tf.pad(x, [(0, 0), rows, cols, (0, 0)], constant_values=tf.cast(value, x.dtype))


def _reaches(op: Conv | DepthwiseConv | Pool) -> tuple[tuple[int, int], tuple[int, int]]:
    """How many rows and columns the windows reach before and after the input."""
    dilation = (1, 1) if isinstance(op, Pool) else (op.dilation_h, op.dilation_w)
    return (
        _reach(op.in_h, op.k_h, op.stride_h, dilation[0], op.pad_h, op.out_h),
        _reach(op.in_w, op.k_w, op.stride_w, dilation[1], op.pad_w, op.out_w),
    )


def _reach(
    size: int, kernel: int, stride: int, dilation: int, before: int, out: int
) -> tuple[int, int]:
    last = (out - 1) * stride + (kernel - 1) * dilation + 1
    return before, max(0, last - size - before)


def _covered(size: int, kernel: int, stride: int, before: int, out: int) -> NDArray[np.int64]:
    """How many real elements each window of one axis holds."""
    start = np.arange(out, dtype=np.int64) * stride - before
    return np.minimum(start + kernel, size) - np.maximum(start, 0)


def _dilated(w: NDArray[np.int8], by_h: int, by_w: int) -> NDArray[np.int8]:
    """``w`` [k_h, k_w, ...] with its holes written out.

    TensorFlow has no CPU gradient of dilated convolutions.
    """
    out = np.zeros(
        ((w.shape[0] - 1) * by_h + 1, (w.shape[1] - 1) * by_w + 1, *w.shape[2:]), np.int8
    )
    out[::by_h, ::by_w] = w
    return out


def _depthwise_sums(
    x: Tensor,
    largest: int,
    kernel: NDArray[np.int8],
    stride: tuple[int, int],
    bias: NDArray[np.int64] | None = None,
) -> Tensor:
    """Sums of products per channel.

    TensorFlow takes equal strides only: others are cut out of stride 1.
    """

    def product(x: Tensor) -> Tensor:
        w = tf.constant(kernel, x.dtype)
        if stride[0] == stride[1]:
            return tf.nn.depthwise_conv2d(x, w, (1, *stride, 1), "VALID")
        return tf.nn.depthwise_conv2d(x, w, (1, 1, 1, 1), "VALID")[:, :: stride[0], :: stride[1]]

    return exact_sums(x, largest, kernel.reshape(*kernel.shape[:2], -1), product, bias)


def operator(p: Program, record: Record, *x: Tensor) -> Tensor:
    """``record`` applied to its inputs; float32 [n, size] in, float32 [n, ...] out."""
    match record:
        case Conv():
            return conv(p, record, *x)
        case DepthwiseConv():
            return depthwise(p, record, *x)
        case FullyConnected():
            return dense(p, record, *x)
        case Add():
            return add(record, *x)
        case Pool():
            averages = record.head.kind in (Kind.AVERAGE_POOL_2D_S8, Kind.AVERAGE_POOL_2D_S16)
            return (average_pool if averages else max_pool)(record, *x)
        case Mean():
            return mean(record, *x)
        case Pad():
            return pad(record, *x)
        case Softmax():
            return softmax(tf.reshape(x[0], (-1, record.rows, record.row_size)), record)
        case SoftmaxTable():
            return softmax_table(p, record, tf.reshape(x[0], (-1, record.rows, record.row_size)))
        case Quantize():
            return quantize(record, *x)
        case _:
            return x[0]
