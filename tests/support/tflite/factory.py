"""Writes small full-integer .tflite models, operator by operator, from explicit parameters.

``Factory`` adds operators to one graph (NHWC, batch 1); every method returns the tensor it made, so
operators chain. ``build`` gives the file's bytes. Shapes of outputs follow TFLite's rules, written
here a second time on purpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

OP = schema.BuiltinOperator
ACTIVATIONS = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3}


@dataclass(frozen=True)
class Affine:
    """``real = (q - zero_point) * scale`` of an int8 or int16 activation."""

    scale: float
    zero_point: int = 0


@dataclass(frozen=True)
class Window:
    """Kernel, stride, dilation as (height, width); ``same`` padding or valid."""

    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    same: bool = False

    def output(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of what comes out; below 1 where the window does not fit."""
        return self._axis(0, height), self._axis(1, width)

    def _axis(self, axis: int, size: int) -> int:
        reach = (self.kernel[axis] - 1) * self.dilation[axis] + 1
        return -(-(size if self.same else size - reach + 1) // self.stride[axis])


@dataclass(frozen=True)
class Ref:
    """A tensor of the graph that is being made."""

    index: int
    shape: tuple[int, ...]
    q: Affine


class Factory:
    """One model in the making.

    ``weights`` are int8 in TFLite's layouts, one scale or one per output channel.

    ``wide`` makes the activations int16; biases are of the type that they are given in.
    """

    def __init__(self, wide: bool = False) -> None:
        self.wide = wide
        self.buffers = [_buffer(None)]
        self.tensors: list[schema.TensorT] = []
        self.operators: list[schema.OperatorT] = []
        self.codes: list[schema.OperatorCodeT] = []

    def input(self, shape: Sequence[int], q: Affine) -> Ref:
        """A graph input of ``shape``, batch included."""
        return self._activation(shape, q)

    def conv_2d(
        self,
        x: Ref,
        weights: NDArray[np.int8],
        scales: Sequence[float],
        bias: NDArray[np.integer] | None,
        window: Window,
        out: Affine,
        activation: str = "NONE",
    ) -> Ref:
        """Weights [out_c, k_h, k_w, in_c]."""
        opt = schema.Conv2DOptionsT()
        (opt.dilationHFactor, opt.dilationWFactor) = window.dilation
        y = self._activation((1, *window.output(*x.shape[1:3]), weights.shape[0]), out)
        inputs = self._weighted(x, weights, scales, bias, axis=0)
        return self._windowed(OP.CONV_2D, 3, inputs, y, "Conv2DOptions", opt, window, activation)

    def depthwise_conv_2d(
        self,
        x: Ref,
        weights: NDArray[np.int8],
        scales: Sequence[float],
        bias: NDArray[np.integer] | None,
        window: Window,
        out: Affine,
        activation: str = "NONE",
    ) -> Ref:
        """Weights [1, k_h, k_w, in_c * multiplier]."""
        opt = schema.DepthwiseConv2DOptionsT()
        (opt.dilationHFactor, opt.dilationWFactor) = window.dilation
        opt.depthMultiplier = weights.shape[3] // x.shape[3]
        y = self._activation((1, *window.output(*x.shape[1:3]), weights.shape[3]), out)
        inputs = self._weighted(x, weights, scales, bias, axis=3)
        return self._windowed(
            OP.DEPTHWISE_CONV_2D, 3, inputs, y, "DepthwiseConv2DOptions", opt, window, activation
        )

    def fully_connected(
        self,
        x: Ref,
        weights: NDArray[np.int8],
        scales: Sequence[float],
        bias: NDArray[np.integer] | None,
        out: Affine,
        activation: str = "NONE",
    ) -> Ref:
        """Weights [out_c, depth]; more than one scale makes it per channel (operator version
        12).
        """
        opt = schema.FullyConnectedOptionsT()
        opt.fusedActivationFunction = ACTIVATIONS[activation]
        y = self._activation((1, weights.shape[0]), out)
        version = 12 if len(scales) > 1 else 4
        inputs = self._weighted(x, weights, scales, bias, axis=0)
        return self._operator(OP.FULLY_CONNECTED, version, inputs, y, "FullyConnectedOptions", opt)

    def add(self, a: Ref, b: Ref, out: Affine, activation: str = "NONE") -> Ref:
        """Elementwise, same shapes."""
        opt = schema.AddOptionsT()
        opt.fusedActivationFunction = ACTIVATIONS[activation]
        y = self._activation(a.shape, out)
        return self._operator(OP.ADD, 2, [a.index, b.index], y, "AddOptions", opt)

    def average_pool_2d(self, x: Ref, window: Window, activation: str = "NONE") -> Ref:
        """Output quantized as the input."""
        return self._pool(OP.AVERAGE_POOL_2D, x, window, activation)

    def max_pool_2d(self, x: Ref, window: Window, activation: str = "NONE") -> Ref:
        """Output quantized as the input."""
        return self._pool(OP.MAX_POOL_2D, x, window, activation)

    def mean(self, x: Ref, out: Affine, keep_dims: bool = False) -> Ref:
        """Over height and width."""
        opt = schema.ReducerOptionsT()
        opt.keepDims = keep_dims
        axes = self._constant(np.array([1, 2], np.int32))
        y = self._activation((1, 1, 1, x.shape[3]) if keep_dims else (1, x.shape[3]), out)
        return self._operator(OP.MEAN, 2, [x.index, axes], y, "ReducerOptions", opt)

    def pad(self, x: Ref, widths: Sequence[tuple[int, int]]) -> Ref:
        """``widths``: (before, after) per dimension, batch included."""
        y = self._activation([b + n + a for n, (b, a) in zip(x.shape, widths, strict=True)], x.q)
        paddings = self._constant(np.array(widths, np.int32))
        return self._operator(OP.PAD, 2, [x.index, paddings], y, "PadOptions", schema.PadOptionsT())

    def reshape(self, x: Ref, shape: Sequence[int]) -> Ref:
        """``shape`` with the batch, no -1."""
        opt = schema.ReshapeOptionsT()
        opt.newShape = list(shape)
        y = self._activation(shape, x.q)
        to = self._constant(np.array(shape, np.int32))
        return self._operator(OP.RESHAPE, 1, [x.index, to], y, "ReshapeOptions", opt)

    def softmax(self, x: Ref, beta: float = 1.0) -> Ref:
        """Over the last dimension; scale 1/256, zero point -128, or for int16 scale 1/32768."""
        opt = schema.SoftmaxOptionsT()
        opt.beta = beta
        y = self._activation(x.shape, Affine(1 / 32768) if self.wide else Affine(1 / 256, -128))
        return self._operator(OP.SOFTMAX, 2, [x.index], y, "SoftmaxOptions", opt)

    def quantize(self, x: Ref, out: Affine) -> Ref:
        """To another scale."""
        y = self._activation(x.shape, out)
        return self._operator(
            OP.QUANTIZE, 2, [x.index], y, "QuantizeOptions", schema.QuantizeOptionsT()
        )

    def build(self, source: Ref, sink: Ref) -> bytes:
        """The .tflite with one input and one output."""
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = [source.index], [sink.index]
        model = schema.ModelT()
        model.version, model.operatorCodes, model.subgraphs, model.buffers = (
            3,
            self.codes,
            [graph],
            self.buffers,
        )
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _pool(self, code: int, x: Ref, window: Window, activation: str) -> Ref:
        opt = schema.Pool2DOptionsT()
        (opt.filterHeight, opt.filterWidth) = window.kernel
        y = self._activation((1, *window.output(*x.shape[1:3]), x.shape[3]), x.q)
        return self._windowed(code, 2, [x.index], y, "Pool2DOptions", opt, window, activation)

    def _windowed(
        self,
        code: int,
        version: int,
        inputs: list[int],
        y: Ref,
        kind: str,
        opt,
        window: Window,
        activation: str,
    ) -> Ref:
        (opt.strideH, opt.strideW) = window.stride
        opt.padding = schema.Padding.SAME if window.same else schema.Padding.VALID
        opt.fusedActivationFunction = ACTIVATIONS[activation]
        return self._operator(code, version, inputs, y, kind, opt)

    def _operator(self, code: int, version: int, inputs: list[int], y: Ref, kind: str, opt) -> Ref:
        entry = schema.OperatorCodeT()
        entry.builtinCode = entry.deprecatedBuiltinCode = code
        entry.version = version
        op = schema.OperatorT()
        op.opcodeIndex, op.inputs, op.outputs = len(self.codes), inputs, [y.index]
        op.builtinOptionsType, op.builtinOptions = getattr(schema.BuiltinOptions, kind), opt
        self.codes.append(entry)
        self.operators.append(op)
        return y

    def _weighted(
        self,
        x: Ref,
        weights: NDArray[np.int8],
        scales: Sequence[float],
        bias: NDArray[np.integer] | None,
        axis: int,
    ) -> list[int]:
        w = self._constant(weights, scales, axis)
        if bias is None:
            return [x.index, w]  # TFLM crashes on -1 as the bias of a DEPTHWISE_CONV_2D
        return [x.index, w, self._constant(bias, [x.q.scale * s for s in scales])]

    def _activation(self, shape: Sequence[int], q: Affine) -> Ref:
        kind = schema.TensorType.INT16 if self.wide else schema.TensorType.INT8
        t = self._tensor(shape, kind, [q.scale], [q.zero_point], 0)
        return Ref(t, tuple(shape), q)

    def _constant(
        self, data: NDArray[np.integer], scales: Sequence[float] = (), axis: int = 0
    ) -> int:
        kind = getattr(schema.TensorType, data.dtype.name.upper())
        t = self._tensor(data.shape, kind, scales, [0] * len(scales), axis)
        self.tensors[t].buffer = len(self.buffers)
        self.buffers.append(_buffer(data.tobytes()))
        return t

    def _tensor(
        self,
        shape: Sequence[int],
        kind: int,
        scales: Sequence[float],
        zero_points: Sequence[int],
        axis: int,
    ) -> int:
        t = schema.TensorT()
        t.shape, t.type, t.buffer, t.name = (
            [int(n) for n in shape],
            kind,
            0,
            f"t{len(self.tensors)}",
        )
        if len(scales):
            t.quantization = schema.QuantizationParametersT()
            t.quantization.scale, t.quantization.zeroPoint = list(scales), list(zero_points)
            t.quantization.quantizedDimension = axis
        self.tensors.append(t)
        return len(self.tensors) - 1


def _buffer(data: bytes | None) -> schema.BufferT:
    b = schema.BufferT()
    b.data = None if data is None else np.frombuffer(data, np.uint8)
    return b
