"""A plan as the graph that bounds are taken over: who feeds whom, up to what is decided on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tinyrobust.core.abi.plan import S16, Add, Kind, Record, Reshape, Softmax, SoftmaxTable
from tinyrobust.core.errors import UsageError
from tinyrobust.models.plan.reader import Program

INPUT = -1
"""The network's input, among the nodes of a graph."""


@dataclass(frozen=True)
class Node:
    """One operator, the nodes that feed it (``INPUT`` or an index), and its output's elements."""

    record: Record
    inputs: tuple[int, ...]
    size: int


@dataclass(frozen=True)
class Network:
    """Operators in order; the last is the one that is decided on.

    RESHAPE moves nothing and is no node. A final SOFTMAX is left off and kept in ``softmax``.
    """

    program: Program
    nodes: tuple[Node, ...]
    input_size: int
    softmax: Softmax | SoftmaxTable | None

    def size(self, node: int) -> int:
        """Elements of a node's output, or of the input."""
        return self.input_size if node == INPUT else self.nodes[node].size

    @property
    def ends(self) -> tuple[int, int]:
        """Lowest and highest value of the activations' type."""
        return ends_of(self.nodes[-1].record)


def network_of(program: Program) -> Network:
    """The graph of ``program``. Raises UsageError for an operator without a bound."""
    header = program.header
    width = 2 if any(r.head.kind in S16 for r in program.records) else 1
    places = {header.input_offset: INPUT}
    nodes: list[Node] = []
    for record in program.records:
        fed = (record.input1, record.input2) if isinstance(record, Add) else (record.input,)
        if isinstance(record, Reshape):
            places[record.head.output] = places[record.input]
            continue
        places[record.head.output] = len(nodes)
        size = record.head.output_bytes // width
        nodes.append(Node(record, tuple(places[at] for at in fed), size))
    nodes, softmax = _before_softmax(_reaching(nodes, places[header.output_offset]))
    for node in nodes:
        if isinstance(node.record, Softmax | SoftmaxTable):
            raise _without_bound(node.record, "inside of a network")
    if not nodes:
        raise UsageError("model: no operator stands before what is decided on: nothing to bound")
    return Network(program, tuple(nodes), math.prod(header.input.dims), softmax)


def ends_of(record: Record) -> tuple[int, int]:
    """Lowest and highest value of the type of an operator's output."""
    return (-32768, 32767) if record.head.kind in S16 else (-128, 127)


def _reaching(nodes: Sequence[Node], last: int) -> list[Node]:
    """The nodes that ``last`` depends on, and it, in order and numbered anew."""
    needed = {last}
    for i in range(last, -1, -1):
        if i in needed:
            needed.update(nodes[i].inputs)
    kept = sorted(needed - {INPUT})
    new = {old: at for at, old in enumerate(kept)} | {INPUT: INPUT}
    return [
        Node(nodes[i].record, tuple(new[j] for j in nodes[i].inputs), nodes[i].size) for i in kept
    ]


def _before_softmax(nodes: list[Node]) -> tuple[list[Node], Softmax | SoftmaxTable | None]:
    last = nodes[-1].record if nodes else None
    if not isinstance(last, Softmax | SoftmaxTable):
        return nodes, None
    if last.rows != 1:
        raise _without_bound(last, f"over {last.rows} rows")
    source = nodes[-1].inputs[0]
    return _reaching(nodes, source), last


def _without_bound(record: Record, why: str) -> UsageError:
    name = Kind(record.head.kind).name.rsplit("_S", 1)[0]
    return UsageError(f"model: operator {record.head.op}, {name} {why}, has no bound to certify by")
