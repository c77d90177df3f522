"""The plan: a flat, checksummed binary of operator records with every parameter resolved.

Layout only.

A plan is ``PlanHeader``, then ``n_ops`` records back to back, then constants. All offsets named
*arena* are bytes from the start of the arena, all named *constant* are bytes from the start of the
plan. Batch size is always 1. ``firmware/include/plan.gen.h`` is generated from this file.
Multipliers and shifts are those of TFLite's ``QuantizeMultiplier`` (Q31 multiplier; positive shift
is left); CMSIS-NN takes them unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from tinyrobust.core.abi.layout import I32, U16, U32, Dims, Raw
from tinyrobust.core.abi.wire import Bytes32, Tensor, describe, fingerprint

MAGIC = b"TRP1"
Bytes4 = Annotated[bytes, Raw(4)]


class Kind(IntEnum):
    """Operator kinds by tensor type: S8 has int8 activations, S16 int16 ones (zero point 0);
    weights are int8.
    """

    CONV_2D_S8 = 1
    """Also a FULLY_CONNECTED with per-channel weights, as a 1x1 convolution over one pixel."""
    DEPTHWISE_CONV_2D_S8 = 2
    FULLY_CONNECTED_S8 = 3
    ADD_S8 = 4
    AVERAGE_POOL_2D_S8 = 5
    MAX_POOL_2D_S8 = 6
    MEAN_S8 = 7
    PAD_S8 = 8
    RESHAPE = 9
    SOFTMAX_S8 = 10
    QUANTIZE_S8 = 11
    CONV_2D_S16 = 17
    """Accumulates in int64 and rounds once, by a multiplier of 15 bits, as do the two that
    follow.
    """
    DEPTHWISE_CONV_2D_S16 = 18
    FULLY_CONNECTED_S16 = 19
    ADD_S16 = 20
    AVERAGE_POOL_2D_S16 = 21
    MAX_POOL_2D_S16 = 22
    MEAN_S16 = 23
    PAD_S16 = 24
    SOFTMAX_S16 = 26
    QUANTIZE_S16 = 27
    CONV_2D_S16_B32 = 28
    """Its bias is int32: TFLite Micro then accumulates in int32 and rounds twice, as for int8. Also
    FULLY_CONNECTED.
    """


S16 = frozenset(kind for kind in Kind if kind >= Kind.CONV_2D_S16)
WIDE_SUMS = frozenset({Kind.CONV_2D_S16, Kind.DEPTHWISE_CONV_2D_S16, Kind.FULLY_CONNECTED_S16})
"""Kinds with an int64 accumulator and bias."""


@dataclass(frozen=True)
class PlanHeader:
    """``crc`` is the CRC-32 of bytes 16..total; ``plan_id`` the SHA-256 of the plan with both
    zero.
    """

    magic: Bytes4
    layout: U32
    """``LAYOUT`` of the writer."""
    total_bytes: U32
    crc: U32
    n_ops: U32
    ops_bytes: U32
    """Bytes of all records together; the first starts right after this header."""
    arena_bytes: U32
    """Arena for tensors, without the kernels' scratch, which the firmware adds."""
    input_offset: U32
    """Arena offset of the input tensor."""
    output_offset: U32
    """Arena offset of the output tensor."""
    input: Tensor
    output: Tensor
    plan_id: Bytes32
    model_sha256: Bytes32
    """SHA-256 of the .tflite file the plan was made from."""


@dataclass(frozen=True)
class Head:
    """Starts every record.

    ``bytes`` is the record's size; ``op`` the operator's index in the .tflite.
    """

    kind: U16
    op: U16
    bytes: U32
    output: U32
    """Arena offset of the output tensor."""
    output_bytes: U32


@dataclass(frozen=True)
class Conv:
    """CONV_2D.

    Weights [out_c, k_h, k_w, in_c] int8; multiplier, shift int32 [out_c]; bias int32, S16 int64
    [out_c].
    """

    head: Head
    input: U32
    in_h: U32
    in_w: U32
    in_c: U32
    k_h: U32
    k_w: U32
    out_h: U32
    out_w: U32
    out_c: U32
    stride_h: U32
    stride_w: U32
    pad_h: U32
    pad_w: U32
    dilation_h: U32
    dilation_w: U32
    input_offset: I32
    """Added to every input value: minus the input's zero point."""
    output_offset: I32
    """The output's zero point."""
    act_min: I32
    act_max: I32
    weights: U32
    bias: U32
    multiplier: U32
    shift: U32


@dataclass(frozen=True)
class DepthwiseConv:
    """DEPTHWISE_CONV_2D.

    Weights [1, k_h, k_w, out_c] int8, out_c = in_c * ch_mult; the rest as in Conv.
    """

    head: Head
    input: U32
    in_h: U32
    in_w: U32
    in_c: U32
    k_h: U32
    k_w: U32
    out_h: U32
    out_w: U32
    out_c: U32
    ch_mult: U32
    stride_h: U32
    stride_w: U32
    pad_h: U32
    pad_w: U32
    dilation_h: U32
    dilation_w: U32
    input_offset: I32
    output_offset: I32
    act_min: I32
    act_max: I32
    weights: U32
    bias: U32
    multiplier: U32
    shift: U32


@dataclass(frozen=True)
class FullyConnected:
    """FULLY_CONNECTED, per-tensor weights [out_c, depth] int8, zero point 0; bias int32, S16 int64
    [out_c].
    """

    head: Head
    input: U32
    depth: U32
    out_c: U32
    input_offset: I32
    output_offset: I32
    multiplier: I32
    shift: I32
    act_min: I32
    act_max: I32
    weights: U32
    bias: U32


@dataclass(frozen=True)
class Add:
    """ADD of two tensors of ``count`` elements (no broadcast).

    Parameters as in TFLite's AddParams.
    """

    head: Head
    input1: U32
    input2: U32
    count: U32
    left_shift: I32
    input1_offset: I32
    input1_multiplier: I32
    input1_shift: I32
    input2_offset: I32
    input2_multiplier: I32
    input2_shift: I32
    output_offset: I32
    output_multiplier: I32
    output_shift: I32
    act_min: I32
    act_max: I32


@dataclass(frozen=True)
class Pool:
    """AVERAGE_POOL_2D and MAX_POOL_2D: input and output share scale and zero point."""

    head: Head
    input: U32
    in_h: U32
    in_w: U32
    channels: U32
    k_h: U32
    k_w: U32
    out_h: U32
    out_w: U32
    stride_h: U32
    stride_w: U32
    pad_h: U32
    pad_w: U32
    act_min: I32
    act_max: I32


@dataclass(frozen=True)
class Mean:
    """MEAN over height and width.

    ``out = clamp(requantize(sum(x) - in_h * in_w * input_zero_point, multiplier, shift) +
    output_zero_point)``; the division by the count is folded into multiplier and shift as in
    TFLite's QuantizedMeanOrSum.
    """

    head: Head
    input: U32
    in_h: U32
    in_w: U32
    channels: U32
    input_zero_point: I32
    output_zero_point: I32
    multiplier: I32
    shift: I32


@dataclass(frozen=True)
class Pad:
    """PAD of an NHWC tensor; ``before`` and ``after`` per dimension; the batch is never padded."""

    head: Head
    input: U32
    in_dims: Dims
    before: Dims
    after: Dims
    value: I32


@dataclass(frozen=True)
class Reshape:
    """RESHAPE: ``output_bytes`` copied, or nothing to do where input and output offsets are the
    same.
    """

    head: Head
    input: U32


@dataclass(frozen=True)
class Softmax:
    """SOFTMAX_S8 over rows; output scale 1/256, zero point -128."""

    head: Head
    input: U32
    rows: U32
    row_size: U32
    multiplier: I32
    shift: I32
    diff_min: I32


@dataclass(frozen=True)
class SoftmaxTable:
    """SOFTMAX_S16 over rows; output scale 1/32768, zero point 0. Tables: int16 [TABLE_ENTRIES]."""

    head: Head
    input: U32
    rows: U32
    row_size: U32
    multiplier: I32
    shift: I32
    exponential: U32
    """exp(x) over [-10, 0]."""
    reciprocal: U32
    """1 / (1 + x) over [0, 1]."""


@dataclass(frozen=True)
class Quantize:
    """QUANTIZE to another scale of the same type."""

    head: Head
    input: U32
    count: U32
    input_zero_point: I32
    output_zero_point: I32
    multiplier: I32
    shift: I32


Record = (
    Conv
    | DepthwiseConv
    | FullyConnected
    | Add
    | Pool
    | Mean
    | Pad
    | Reshape
    | Softmax
    | SoftmaxTable
    | Quantize
)

RECORDS: dict[Kind, type] = {
    Kind.CONV_2D_S8: Conv,
    Kind.DEPTHWISE_CONV_2D_S8: DepthwiseConv,
    Kind.FULLY_CONNECTED_S8: FullyConnected,
    Kind.ADD_S8: Add,
    Kind.AVERAGE_POOL_2D_S8: Pool,
    Kind.MAX_POOL_2D_S8: Pool,
    Kind.MEAN_S8: Mean,
    Kind.PAD_S8: Pad,
    Kind.RESHAPE: Reshape,
    Kind.SOFTMAX_S8: Softmax,
    Kind.QUANTIZE_S8: Quantize,
    Kind.CONV_2D_S16: Conv,
    Kind.DEPTHWISE_CONV_2D_S16: DepthwiseConv,
    Kind.FULLY_CONNECTED_S16: FullyConnected,
    Kind.ADD_S16: Add,
    Kind.AVERAGE_POOL_2D_S16: Pool,
    Kind.MAX_POOL_2D_S16: Pool,
    Kind.MEAN_S16: Mean,
    Kind.PAD_S16: Pad,
    Kind.SOFTMAX_S16: SoftmaxTable,
    Kind.QUANTIZE_S16: Quantize,
    Kind.CONV_2D_S16_B32: Conv,
}

MAX_OPS = 512
MAX_DIM = 1 << 16
"""Bound of every dimension, stride, pad and dilation; products are checked in 64 bit."""
MAX_EXTENT = 32767
"""Bound of whatever a window slides over, of its reach, and of its channels: CMSIS-NN keeps
positions in int16.
"""
MAX_COLUMN = 65535
"""Bound of k_h * k_w * in_c: CMSIS-NN keeps the length of an im2col column in uint16."""
MAX_SOFTMAX_ROW = 511
"""SOFTMAX_S8: from 512 equal values on the sum of exponentials, Q12.19, has 29 bits, and the
kernels shift an int32 by 32: CMSIS-NN's result depends on the core, tflite-micro ends its
process.
"""
MAX_MEAN_COUNT = 1 << 23
"""MEAN_S8: 255 times as much still fits into int32."""
MAX_COUNT_S16 = 65535
"""MEAN_S16, AVERAGE_POOL_2D_S16: 32768 times as much still fits into int32."""
MAX_SHIFT_S16 = 7
"""Largest left shift of the rounding from int64 that TFLite defines."""
MAX_TABLE_SHIFT = 15
"""SOFTMAX_S16: a difference of 65535 shifted left by so much still fits into int32."""
TABLE_ENTRIES = 513
"""Of a SOFTMAX_S16 table: 512 intervals."""
CONSTANT_ALIGN = 16
ARENA_ALIGN = 16

LAYOUT = fingerprint(
    describe(PlanHeader), *(f"{k.name}={k.value}:{describe(r)}" for k, r in RECORDS.items())
)
"""Hash of everything above. A plan of another layout is refused."""
