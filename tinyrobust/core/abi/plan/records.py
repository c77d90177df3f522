"""The plan's header and its operator records, every parameter resolved.

All offsets named *arena* are bytes from the start of the arena, all named *constant* are bytes from
the start of the plan. Multipliers and shifts are those of TFLite's ``QuantizeMultiplier`` (Q31
multiplier; positive shift is left); CMSIS-NN takes them unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tinyrobust.core.abi.layout import I32, U16, U32, Dims, Raw
from tinyrobust.core.abi.wire import Tensor
from tinyrobust.core.abi.wire.messages import Bytes32

Bytes4 = Annotated[bytes, Raw(4)]


@dataclass(frozen=True)
class PlanHeader:
    """The header of a plan.

    ``crc`` is the CRC-32 of bytes 16..total, ``plan_id`` the SHA-256 of the plan with both zero.
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
    """FULLY_CONNECTED, per-tensor weights [out_c, depth] int8, zero point 0.

    Bias is int32 [out_c], for S16 int64.
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
    """RESHAPE: ``output_bytes`` copied; nothing to do where both offsets are the same."""

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
