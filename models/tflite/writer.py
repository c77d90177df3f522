"""Writes full-integer .tflite files with the schema's object classes.

Knows the container, not Keras.
"""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from numpy.typing import NDArray

from tinyrobust.models.tflite.schema import schema

_TYPES = {
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.int32): schema.TensorType.INT32,
}


class TfliteWriter:
    """Collects tensors and operators; ``finish`` packs them.

    Tensors are named by index, as in the file.
    """

    def __init__(self, description: str) -> None:
        self._model = schema.ModelT()
        self._model.version = 3
        self._model.description = description.encode()
        self._model.operatorCodes = []
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        self._model.subgraphs = [self._graph]
        self._model.buffers = [schema.BufferT()]  # buffer 0 is empty by convention

    def activation(self, name: str, shape: tuple[int, ...], scale: float, zero_point: int) -> int:
        """An int8 tensor computed at run time; ``shape`` with its batch of 1."""
        return self._tensor(
            name, shape, np.dtype(np.int8), 0, np.array([scale], np.float32), zero_point, 0
        )

    def constant(
        self, name: str, values: NDArray[Any], scales: NDArray[np.float32], axis: int = 0
    ) -> int:
        """An int8 or int32 constant with one scale or one per index of ``axis``; zero point 0."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(
            values.astype(values.dtype.newbyteorder("<")).tobytes(), np.uint8
        )
        self._model.buffers.append(buffer)
        return self._tensor(
            name, values.shape, values.dtype, len(self._model.buffers) - 1, scales, 0, axis
        )

    def index_constant(self, name: str, values: NDArray[np.int32]) -> int:
        """An int32 constant that is no quantity: shapes and paddings."""
        return self.constant(name, values, np.empty(0, np.float32))

    def scales(self, tensor: int) -> int:
        """How many scales ``tensor`` has."""
        quantization = self._graph.tensors[tensor].quantization
        return 0 if quantization is None else len(quantization.scale)

    def operator(
        self, code: str, version: int, inputs: list[int], output: int, options: Any
    ) -> None:
        """Appends an operator; ``options`` is the ``...OptionsT`` object of its kind."""
        op = schema.OperatorT()
        op.opcodeIndex = self._code(getattr(schema.BuiltinOperator, code), version)
        op.inputs, op.outputs = inputs, [output]
        op.builtinOptionsType = getattr(
            schema.BuiltinOptions, type(options).__name__.removesuffix("T")
        )
        op.builtinOptions = options
        self._graph.operators.append(op)

    def finish(self, source: int, sink: int) -> bytes:
        """The file, with ``source`` and ``sink`` as its only input and output."""
        self._graph.inputs, self._graph.outputs = [source], [sink]
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _code(self, code: int, version: int) -> int:
        for i, known in enumerate(self._model.operatorCodes):
            if (known.builtinCode, known.version) == (code, version):
                return i
        entry = schema.OperatorCodeT()
        entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = (
            code,
            min(code, 127),
            version,
        )
        self._model.operatorCodes.append(entry)
        return len(self._model.operatorCodes) - 1

    def _tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        buffer: int,
        scales: NDArray[np.float32],
        zero_point: int,
        axis: int,
    ) -> int:
        t = schema.TensorT()
        t.name, t.shape, t.type, t.buffer = name.encode(), list(shape), _TYPES[dtype], buffer
        if scales.size:
            t.quantization = schema.QuantizationParametersT()
            t.quantization.scale = scales.astype(np.float32)
            t.quantization.zeroPoint = np.full(scales.size, zero_point, np.int64)
            t.quantization.quantizedDimension = axis
        self._graph.tensors.append(t)
        return len(self._graph.tensors) - 1
