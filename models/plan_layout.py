"""The plan: a flat, checksummed binary of operator records with every parameter resolved. Layout only.

A plan is ``PlanHeader``, then ``n_ops`` records back to back, then constants. All offsets named *arena* are bytes
from the start of the arena, all named *constant* are bytes from the start of the plan. Batch size is always 1.
``firmware/include/plan.gen.h`` is generated from this file. Multipliers and shifts are those of TFLite's
``QuantizeMultiplier`` (Q31 multiplier; positive shift is left); CMSIS-NN takes them unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from host.layout import I32, U16, U32, Dims, Raw
from host.wire import Bytes32, Tensor, describe, fingerprint

MAGIC = b"TRP1"
Bytes4 = Annotated[bytes, Raw(4)]


class Kind(IntEnum):
    """Operator kinds by tensor type, so that int16x8 kinds can stand beside these."""

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


@dataclass(frozen=True)
class PlanHeader:
    """``crc`` is the CRC-32 of bytes 16..total; ``plan_id`` the SHA-256 of the plan with both zero."""

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
    """Starts every record. ``bytes`` is the record's size; ``op`` the operator's index in the .tflite."""

    kind: U16
    op: U16
    bytes: U32
    output: U32
    """Arena offset of the output tensor."""
    output_bytes: U32


@dataclass(frozen=True)
class Conv:
    """CONV_2D_S8. Weights [out_c, k_h, k_w, in_c] int8; bias, multiplier, shift int32 [out_c], 4-aligned."""

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
    """DEPTHWISE_CONV_2D_S8. Weights [1, k_h, k_w, out_c] int8, out_c = in_c * ch_mult; the rest as in Conv."""

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
    """FULLY_CONNECTED_S8, per-tensor weights [out_c, depth] int8; bias int32 [out_c]; weight zero point 0."""

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
    """ADD_S8 of two tensors of ``count`` elements (no broadcast). Parameters as in TFLite's AddParams."""

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
    """AVERAGE_POOL_2D_S8 and MAX_POOL_2D_S8: input and output share scale and zero point."""

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
    """MEAN_S8 over height and width.

    ``out = clamp(requantize(sum(x) - in_h * in_w * input_zero_point, multiplier, shift) + output_zero_point)``; the
    division by the count is folded into multiplier and shift as in TFLite's QuantizedMeanOrSum.
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
    """PAD_S8 of an NHWC tensor; ``before`` and ``after`` per dimension; the batch is never padded."""

    head: Head
    input: U32
    in_dims: Dims
    before: Dims
    after: Dims
    value: I32


@dataclass(frozen=True)
class Reshape:
    """RESHAPE: ``output_bytes`` copied, or nothing to do where input and output offsets are the same."""

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
class Quantize:
    """QUANTIZE_S8, int8 to int8 of another scale."""

    head: Head
    input: U32
    count: U32
    input_zero_point: I32
    output_zero_point: I32
    multiplier: I32
    shift: I32


Record = Conv | DepthwiseConv | FullyConnected | Add | Pool | Mean | Pad | Reshape | Softmax | Quantize

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
}

MAX_OPS = 512
MAX_DIM = 1 << 16
"""Bound of every dimension, stride, pad and dilation; products are checked in 64 bit."""
CONSTANT_ALIGN = 16
ARENA_ALIGN = 16

LAYOUT = fingerprint(describe(PlanHeader), *(f"{k.name}={k.value}:{describe(r)}" for k, r in RECORDS.items()))
"""Hash of everything above. A plan of another layout is refused."""
