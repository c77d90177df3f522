"""The data flow of a plan: operators read whole tensors, as they were written.

Twin of ``plan_check/flow.cc``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinyrobust.core.abi.plan import (
    S16,
    Add,
    Conv,
    DepthwiseConv,
    FullyConnected,
    Kind,
    Mean,
    Pad,
    PlanHeader,
    Pool,
    Record,
    Reshape,
    Softmax,
    SoftmaxTable,
)
from tinyrobust.core.abi.wire import Tensor
from tinyrobust.models.plan.operators.checks import INT8, INT16

Span = tuple[int, int]
"""A tensor in the arena: its first byte, and the byte after its last."""


def check_flow(header: PlanHeader, records: Sequence[Record]) -> None:
    """Refuses a plan whose answer could depend on what the arena held before.

    Every input, and at the end the model's output, must be one whole tensor that stands in the
    arena by then: the model's input or an earlier operator's output, with nothing written over any
    byte of it since. Raises ValueError with the operator's kind and index.
    """
    written = [_edge(header.input, header.input_offset)]
    for record in records:
        name, op = Kind(record.head.kind).name, record.head.op
        for span in _inputs(record):
            if not _stands(span, written):
                raise ValueError(
                    f"{name} (operator {op}) reads arena bytes {span[0]} to {span[1] - 1}, "
                    "which no tensor fills by then: not written before, or written over"
                )
        written.append(_span(record.head.output, record.head.output_bytes))
    span = _edge(header.output, header.output_offset)
    if not _stands(span, written):
        raise ValueError(
            f"its output is arena bytes {span[0]} to {span[1] - 1}, "
            "which no tensor fills at the end: not written, or written over"
        )


def _stands(span: Span, written: Sequence[Span]) -> bool:
    """Whether the last write to any byte of ``span`` wrote exactly ``span``."""
    touching = (w for w in reversed(written) if w[0] < span[1] and span[0] < w[1])
    return next(touching, None) == span


def _edge(tensor: Tensor, at: int) -> Span:
    if tensor.dtype not in (INT8, INT16):
        raise ValueError(f"an edge tensor has TFLite type {tensor.dtype}, neither int8 nor int16")
    return _span(at, math.prod(tensor.dims) * (2 if tensor.dtype == INT16 else 1))


def _inputs(record: Record) -> list[Span]:
    """What one operator reads of the arena."""
    width = 2 if record.head.kind in S16 else 1
    starts = (record.input1, record.input2) if isinstance(record, Add) else (record.input,)
    return [_span(at, _elements(record) * width) for at in starts]


def _elements(record: Record) -> int:
    """Elements of each input; bytes, where the kind is of either type."""
    match record:
        case Conv() | DepthwiseConv():
            return record.in_h * record.in_w * record.in_c
        case Pool() | Mean():
            return record.in_h * record.in_w * record.channels
        case FullyConnected():
            return record.depth
        case Pad():
            return math.prod(record.in_dims)
        case Reshape():
            return record.head.output_bytes
        case Softmax() | SoftmaxTable():
            return record.rows * record.row_size
        case _:
            return record.count


def _span(at: int, size: int) -> Span:
    return at, at + size
