"""A full-integer .tflite compiled into the plan that the firmware executes.

The layout is that of ``tinyrobust/core/abi/plan/``.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from tinyrobust.core.abi import layout
from tinyrobust.core.abi.plan import ARENA_ALIGN, CONSTANT_ALIGN, LAYOUT, MAGIC, PlanHeader, Record
from tinyrobust.core.abi.wire import MAX_TENSOR
from tinyrobust.core.abi.wire import Tensor as WireTensor
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.plan import arena
from tinyrobust.models.plan.constants import Constants, moved
from tinyrobust.models.plan.operators.checks import (
    ACTIVATION_TYPES,
    Checked,
    bytes_of,
    check_activation,
    scale,
    zero_point,
)
from tinyrobust.models.plan.operators.table import aliases_input, record_of
from tinyrobust.models.plan.reader import read_plan
from tinyrobust.models.tflite.reader import Graph, Operator, Tensor, read_graph, type_name
from tinyrobust.models.tflite.schema import OPERATOR, parsing

_CRC_FROM = 16


@dataclass(frozen=True)
class Plan:
    """``data`` is the binary; ``ops`` the operators' TFLite names in order; sizes in bytes."""

    data: bytes
    input: TensorSpec
    output: TensorSpec
    ops: tuple[str, ...]
    arena_bytes: int
    constant_bytes: int
    plan_id: str
    """SHA-256 in hex, as the header states it."""


def compile_plan(tflite: bytes) -> Plan:
    """Checks an untrusted ``tflite`` and resolves every parameter the firmware needs.

    Raises UsageError: for what is unsupported with the operator's name and index, for a corrupted
    file with the place.
    """
    graph = read_graph(tflite)
    source, sink = _edge(graph, graph.inputs, "input"), _edge(graph, graph.outputs, "output")
    if source.tflite_type != sink.tflite_type:
        raise UsageError(
            f"model: its input is {type_name(source)}, its output {type_name(sink)}; give both one "
            "type"
        )
    _check_order(graph)
    offsets, arena_bytes = _place(graph)
    constants = Constants()
    records: list[Record] = []
    for op in graph.operators:
        with _refusing(op):
            records.append(record_of(Checked(graph, op, offsets, constants)))
    records_bytes = sum(record.head.bytes for record in records)
    base = -(-(layout.size(PlanHeader) + records_bytes) // CONSTANT_ALIGN) * CONSTANT_ALIGN
    packed = b"".join(layout.pack(moved(record, base)) for record in records)
    header = PlanHeader(
        magic=MAGIC,
        layout=LAYOUT,
        total_bytes=base + len(constants.data),
        crc=0,
        n_ops=len(graph.operators),
        ops_bytes=len(packed),
        arena_bytes=arena_bytes,
        input_offset=offsets[source.index],
        output_offset=offsets[sink.index],
        input=_wire(source),
        output=_wire(sink),
        plan_id=bytes(32),
        model_sha256=hashlib.sha256(tflite).digest(),
    )
    body = packed.ljust(base - layout.size(PlanHeader), b"\0") + bytes(constants.data)
    header = replace(header, plan_id=hashlib.sha256(layout.pack(header) + body).digest())
    header = replace(header, crc=zlib.crc32((layout.pack(header) + body)[_CRC_FROM:]))
    ops = tuple(OPERATOR[op.code] for op in graph.operators)
    data = layout.pack(header) + body
    try:
        read_plan(data)
    except ValueError as err:
        raise UsageError(f"model: {err}") from None
    return Plan(
        data,
        _spec(source),
        _spec(sink),
        ops,
        arena_bytes,
        len(constants.data),
        header.plan_id.hex(),
    )


@contextmanager
def _refusing(op: Operator) -> Iterator[None]:
    with parsing(f"model: {op.name}"):
        try:
            yield
        except ValueError as err:
            raise UsageError(f"model: {op.name}: {err}") from None


def _edge(graph: Graph, indices: tuple[int, ...], what: str) -> Tensor:
    if len(indices) != 1:
        raise UsageError(f"model: {len(indices)} {what}s, 1 is supported")
    t = graph.tensors[indices[0]]
    try:
        check_activation(t)
    except ValueError as err:
        raise UsageError(
            f"model: {what} {err}; export a full-integer model with int8 or int16 {what}s"
        ) from None
    if len(t.shape) < 2 or t.shape[0] != 1 or bytes_of(t) > MAX_TENSOR or t.data is not None:
        raise UsageError(
            f"model: {what} shape {list(t.shape)}; a batch of 1 and at most {MAX_TENSOR} bytes fit"
        )
    return t


def _check_order(graph: Graph) -> None:
    """Every tensor is computed once, before its first use, so that lifetimes mean what they say."""
    if not graph.operators:
        raise UsageError("model: it has no operators")
    ready = set(graph.inputs)
    for op in graph.operators:
        for i in op.inputs:
            if i >= 0 and graph.tensors[i].data is None and i not in ready:
                raise UsageError(f"model: {op.name} reads tensor {i} before it is computed")
        for i in op.outputs:
            if i in ready or graph.tensors[i].data is not None:
                raise UsageError(f"model: {op.name} writes tensor {i}, which is already there")
            ready.add(i)
    if graph.outputs[0] not in ready:
        raise UsageError(f"model: its output, tensor {graph.outputs[0]}, is never computed")


def _place(graph: Graph) -> tuple[dict[int, int], int]:
    """Arena offsets of all activations.

    A reshaped tensor shares its input's place and lives as long as both.
    """
    home: dict[int, int] = {graph.inputs[0]: graph.inputs[0]}
    first: dict[int, int] = {graph.inputs[0]: 0}
    last: dict[int, int] = {graph.inputs[0]: 0}
    for step, op in enumerate(graph.operators):
        live = [i for i in op.inputs if i in home]
        for i in live:
            last[home[i]] = step
        for i in op.outputs:
            shares = (
                aliases_input(op) and live and graph.tensors[live[0]].size == graph.tensors[i].size
            )
            home[i] = home[live[0]] if shares else i
            first.setdefault(home[i], step)
            last[home[i]] = step
    last[home[graph.outputs[0]]] = len(graph.operators)
    roots = sorted(first)
    width = np.dtype(ACTIVATION_TYPES[graph.tensors[graph.inputs[0]].tflite_type]).itemsize
    buffers = [arena.Buffer(graph.tensors[r].size * width, first[r], last[r]) for r in roots]
    placed = arena.place(buffers, ARENA_ALIGN)
    at = dict(zip(roots, placed.offsets, strict=True))
    return {i: at[root] for i, root in home.items()}, placed.total


def _wire(t: Tensor) -> WireTensor:
    return WireTensor((1,) * (4 - len(t.shape)) + t.shape, t.tflite_type, scale(t), zero_point(t))


def _spec(t: Tensor) -> TensorSpec:
    return TensorSpec(
        t.shape[1:], scale(t), zero_point(t), np.dtype(ACTIVATION_TYPES[t.tflite_type]).name
    )
