"""An untrusted .tflite file read into plain, bounded dataclasses.

Knows the container, not the operators' meaning.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.errors import UsageError
from tinyrobust.models.tflite.schema import OPERATOR, TENSOR_TYPE, parsing, schema

MAX_FILE = 16 << 20
"""Largest model file that is opened, in bytes. Microcontrollers end far below."""
MAX_TENSORS = 4096
MAX_OPERATORS = 512
MAX_RANK = 6
MAX_ELEMENTS = 1 << 24
"""Bound of one tensor's elements and of a quantization vector."""


@dataclass(frozen=True)
class Tensor:
    """One tensor as the file states it. ``data`` holds a constant's bytes, None for activations."""

    index: int
    name: str
    shape: tuple[int, ...]
    tflite_type: int
    scales: NDArray[np.float32]
    zero_points: NDArray[np.int64]
    quantized_dimension: int
    data: NDArray[np.uint8] | None

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    def constant(self, dtype: type[np.integer[Any]]) -> NDArray[Any]:
        """The constant's values in its shape.

        Raises ValueError unless there are exactly as many as the shape says.
        """
        if self.data is None:
            raise ValueError(f"tensor {self.index} ({self.name}) is not a constant")
        if self.data.size != self.size * np.dtype(dtype).itemsize:
            raise ValueError(
                f"tensor {self.index} ({self.name}) has {self.data.size} bytes for shape "
                f"{self.shape}"
            )
        return np.frombuffer(self.data.tobytes(), np.dtype(dtype).newbyteorder("<")).reshape(
            self.shape
        )


@dataclass(frozen=True)
class Operator:
    """One operator.

    ``inputs`` and ``outputs`` are tensor indices, -1 for an optional tensor that is absent.
    """

    index: int
    code: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any
    """The generated options table (lazy reader: use inside ``parsing``), or None."""

    @property
    def name(self) -> str:
        """For messages: the operator's name and its index in the file."""
        return f"{OPERATOR.get(self.code, f'builtin {self.code}')} (operator {self.index})"


@dataclass(frozen=True)
class Graph:
    """The only subgraph of a model."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_graph(tflite: bytes) -> Graph:
    """Reads ``tflite``, at most ``MAX_FILE`` bytes.

    Raises UsageError on whatever is not a sound single-graph model.
    """
    if not 32 <= len(tflite) <= MAX_FILE:
        raise UsageError(f"model: {len(tflite)} bytes; a .tflite file has 32 to {MAX_FILE}")
    if tflite[4:8] != b"TFL3":
        raise UsageError("model: no TFL3 identifier at byte 4; give a .tflite file")
    with parsing("model"):
        return _Reader(tflite).graph()


def bounded(count: int, limit: int, what: str) -> int:
    """``count`` unless it is negative or above ``limit``; raises UsageError that names ``what``."""
    if not 0 <= count <= limit:
        raise UsageError(f"model: {count} {what}, at most {limit} are supported")
    return count


class _Reader:
    def __init__(self, tflite: bytes) -> None:
        self.model = schema.Model.GetRootAs(tflite, 0)
        self.file_bytes = len(tflite)
        if self.model.Version() != 3:
            raise UsageError(f"model: schema version {self.model.Version()}, 3 is supported")
        if self.model.SubgraphsLength() != 1:
            raise UsageError(f"model: {self.model.SubgraphsLength()} subgraphs, 1 is supported")
        self.subgraph = self.model.Subgraphs(0)
        self.codes = self._codes()

    def graph(self) -> Graph:
        g = self.subgraph
        n = bounded(g.TensorsLength(), MAX_TENSORS, "tensors")
        tensors = tuple(self._tensor(i, g.Tensors(i)) for i in range(n))
        ops = bounded(g.OperatorsLength(), MAX_OPERATORS, "operators")
        operators = tuple(self._operator(i, g.Operators(i), n) for i in range(ops))
        inputs = _indices(g.InputsLength(), g.Inputs, n, "graph inputs", low=0)
        outputs = _indices(g.OutputsLength(), g.Outputs, n, "graph outputs", low=0)
        return Graph(tensors, operators, inputs, outputs)

    def _codes(self) -> tuple[int, ...]:
        n = bounded(self.model.OperatorCodesLength(), MAX_OPERATORS, "operator codes")
        codes = (self.model.OperatorCodes(i) for i in range(n))
        return tuple(max(c.BuiltinCode(), c.DeprecatedBuiltinCode()) for c in codes)

    def _tensor(self, index: int, t: Any) -> Tensor:
        rank = bounded(t.ShapeLength(), MAX_RANK, f"dimensions of tensor {index}")
        shape = tuple(
            bounded(int(t.Shape(i)), MAX_ELEMENTS, f"as a dimension of tensor {index}")
            for i in range(rank)
        )
        bounded(math.prod(shape), MAX_ELEMENTS, f"elements in tensor {index}")
        if t.Sparsity() is not None or t.IsVariable():
            raise UsageError(
                f"model: tensor {index} is sparse or variable; only plain tensors are supported"
            )
        name = (t.Name() or b"").decode("utf-8", "replace")[:80]
        scales, zero_points, dimension = self._quantization(index, t.Quantization())
        return Tensor(
            index,
            name,
            shape,
            t.Type(),
            scales,
            zero_points,
            dimension,
            self._buffer(index, t.Buffer()),
        )

    def _quantization(
        self, index: int, q: Any
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], int]:
        if q is None:
            return np.empty(0, np.float32), np.empty(0, np.int64), 0
        if q.DetailsType():
            raise UsageError(
                f"model: tensor {index} has a custom quantization; only affine is supported"
            )
        n = bounded(q.ScaleLength(), MAX_ELEMENTS, f"scales in tensor {index}")
        m = bounded(q.ZeroPointLength(), MAX_ELEMENTS, f"zero points in tensor {index}")
        scales = np.array(q.ScaleAsNumpy() if n else [], np.float32)
        zero_points = np.array(q.ZeroPointAsNumpy() if m else [], np.int64)
        return scales, zero_points, int(q.QuantizedDimension())

    def _buffer(self, index: int, number: int) -> NDArray[np.uint8] | None:
        if number >= self.model.BuffersLength():
            raise UsageError(
                f"model: tensor {index} names buffer {number} of {self.model.BuffersLength()}"
            )
        b = self.model.Buffers(number)
        if b.Offset() > 1:
            raise UsageError(
                f"model: the data of tensor {index} lie outside the flatbuffer; not supported"
            )
        if not bounded(b.DataLength(), self.file_bytes, f"bytes in tensor {index}"):
            return None
        return np.asarray(b.DataAsNumpy(), np.uint8)

    def _operator(self, index: int, op: Any, n_tensors: int) -> Operator:
        if op.OpcodeIndex() >= len(self.codes):
            raise UsageError(
                f"model: operator {index} names code {op.OpcodeIndex()} of {len(self.codes)}"
            )
        inputs = _indices(
            op.InputsLength(), op.Inputs, n_tensors, f"inputs of operator {index}", low=-1
        )
        outputs = _indices(
            op.OutputsLength(), op.Outputs, n_tensors, f"outputs of operator {index}", low=0
        )
        code = self.codes[op.OpcodeIndex()]
        return Operator(index, code, inputs, outputs, _options(op))


def _indices(n: int, item: Any, n_tensors: int, what: str, low: int) -> tuple[int, ...]:
    bounded(n, 64, what)
    out = tuple(int(item(i)) for i in range(n))
    if any(not low <= i < n_tensors for i in out):
        raise UsageError(f"model: {what} name tensors {out} of {n_tensors}")
    return out


_OPTIONS = {
    getattr(schema.BuiltinOptions, name): getattr(schema, name)
    for name in (
        "Conv2DOptions",
        "DepthwiseConv2DOptions",
        "FullyConnectedOptions",
        "AddOptions",
        "Pool2DOptions",
        "ReducerOptions",
        "SoftmaxOptions",
    )
}


def _options(op: Any) -> Any:
    reader = _OPTIONS.get(op.BuiltinOptionsType())
    table = op.BuiltinOptions()
    if reader is None or table is None:
        return None
    options = reader()
    options.Init(table.Bytes, table.Pos)
    return options


def type_name(t: Tensor) -> str:
    """``INT8``, ``FLOAT32`` ... of a tensor, for messages."""
    return TENSOR_TYPE.get(t.tflite_type, f"type {t.tflite_type}")
