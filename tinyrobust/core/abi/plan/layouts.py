"""Which record every kind of operator has, and the hash of all of them."""

from __future__ import annotations

from tinyrobust.core.abi.layout import describe, fingerprint
from tinyrobust.core.abi.plan.kinds import Kind
from tinyrobust.core.abi.plan.records import (
    Add,
    Conv,
    DepthwiseConv,
    FullyConnected,
    Mean,
    Pad,
    PlanHeader,
    Pool,
    Quantize,
    Reshape,
    Softmax,
    SoftmaxTable,
)

MAGIC = b"TRP1"

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

LAYOUT = fingerprint(
    describe(PlanHeader), *(f"{k.name}={k.value}:{describe(r)}" for k, r in RECORDS.items())
)
"""Hash of everything above. A plan of another layout is refused."""
