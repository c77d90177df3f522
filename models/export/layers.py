"""How each kind of layer becomes TFLite operators.

Every refusal is a ValueError; the caller names the layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.types import TensorSpec
from tinyrobust.models.export.activation_grid import Grid, grid_of
from tinyrobust.models.export.fold import Folded, fold
from tinyrobust.models.export.steps import Step
from tinyrobust.models.tflite.schema import schema
from tinyrobust.models.tflite.writer import TfliteWriter


@dataclass(frozen=True)
class Value:
    """A tensor on its way: index in the file, shape of one sample, scale and zero point."""

    index: int
    shape: tuple[int, ...]
    scale: float
    zero_point: int


class Emitter:
    """The file being written, and how a result lands on its grid."""

    def __init__(self, description: str) -> None:
        self.writer = TfliteWriter(description)

    def input(self, name: str, spec: TensorSpec) -> Value:
        """The network's input tensor."""
        return self.tensor(name, spec.shape, spec.scale, spec.zero_point)

    def tensor(self, name: str, shape: tuple[int, ...], scale: float, zero_point: int) -> Value:
        """A new activation tensor."""
        return Value(
            self.writer.activation(name, (1, *shape), scale, zero_point), shape, scale, zero_point
        )

    def onto_grid(
        self, step: Step, code: str, version: int, inputs: list[int], options: Any
    ) -> Value:
        """Emits the operator with its output on the step's grid.

        ``options`` takes the fused activation.
        """
        grid = _grid(step)
        options.fusedActivationFunction = getattr(schema.ActivationFunctionType, grid.fused)
        name = step.name if grid.one_stage else f"{step.name}/high"
        out = self.tensor(name, step.shape, grid.scale, grid.high_zero_point)
        self.writer.operator(code, version, inputs, out.index, options)
        return out if grid.one_stage else self._clamp_low(step, grid, out)

    def _clamp_low(self, step: Step, grid: Grid, high: Value) -> Value:
        """Clamps a signed grid of fewer than 256 values at its lower end, by a QUANTIZE.

        Saturation clamps the other end.
        """
        out = self.tensor(step.name, step.shape, grid.scale, grid.low_zero_point)
        self.writer.operator("QUANTIZE", 2, [high.index], out.index, schema.QuantizeOptionsT())
        return out


def _grid(step: Step) -> Grid:
    if step.quantizer is None:
        raise ValueError("its output has no grid; put a QActivation right after it")
    return grid_of(step.quantizer)


def convolution(e: Emitter, step: Step, inputs: list[Value]) -> Value:
    """CONV_2D."""
    if step.layer.groups != 1:
        raise ValueError("grouped convolution is not supported")
    options = _window_options(schema.Conv2DOptionsT(), step.layer)
    return e.onto_grid(step, "CONV_2D", 3, _with_weights(e, step, inputs[0]), options)


def depthwise(e: Emitter, step: Step, inputs: list[Value]) -> Value:
    """DEPTHWISE_CONV_2D."""
    options = _window_options(schema.DepthwiseConv2DOptionsT(), step.layer)
    options.depthMultiplier = int(step.layer.depth_multiplier)
    return e.onto_grid(step, "DEPTHWISE_CONV_2D", 3, _with_weights(e, step, inputs[0]), options)


def dense(e: Emitter, step: Step, inputs: list[Value]) -> Value:
    """FULLY_CONNECTED, per channel (version 12) only where the channels' scales differ."""
    if len(inputs[0].shape) != 1:
        raise ValueError(f"its input has shape {inputs[0].shape}; put a Flatten before it")
    operands = _with_weights(e, step, inputs[0])
    version = 12 if e.writer.scales(operands[1]) > 1 else 4
    return e.onto_grid(step, "FULLY_CONNECTED", version, operands, schema.FullyConnectedOptionsT())


def add(e: Emitter, step: Step, inputs: list[Value]) -> Value:
    """ADD of two tensors of one shape."""
    if len(inputs) != 2 or inputs[0].shape != inputs[1].shape:
        raise ValueError(
            f"it adds shapes {[v.shape for v in inputs]}; two of the same are supported"
        )
    return e.onto_grid(step, "ADD", 2, [v.index for v in inputs], schema.AddOptionsT())


def max_pool(e: Emitter, step: Step, inputs: list[Value]) -> Value:
    """MAX_POOL_2D: values stay on the input's grid."""
    return _pool(
        e, step, inputs[0], "MAX_POOL_2D", _pool_options(step.layer), step.name, step.shape
    )


def average_pool(e: Emitter, step: Step, inputs: list[Value]) -> Value:
    """AVERAGE_POOL_2D, which TFLite rounds onto its input's grid."""
    _check_same_grid(step, inputs[0])
    return _pool(
        e, step, inputs[0], "AVERAGE_POOL_2D", _pool_options(step.layer), step.name, step.shape
    )


def global_average(e: Emitter, step: Step, inputs: list[Value]) -> Value:
    """AVERAGE_POOL_2D over the whole map: its integer mean rounds once, MEAN's multiplier twice."""
    _check_same_grid(step, inputs[0])
    h, w, c = inputs[0].shape
    options = schema.Pool2DOptionsT()
    options.filterHeight, options.filterWidth, options.strideH, options.strideW = h, w, 1, 1
    options.padding = schema.Padding.VALID
    pooled = _pool(e, step, inputs[0], "AVERAGE_POOL_2D", options, f"{step.name}/map", (1, 1, c))
    return reshape(e, step, [pooled])


def zero_pad(e: Emitter, step: Step, inputs: list[Value]) -> Value:
    """PAD with the zero point, which is real 0."""
    x = inputs[0]
    (top, bottom), (left, right) = step.layer.padding
    widths = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
    out = e.tensor(step.name, step.shape, x.scale, x.zero_point)
    at = e.writer.index_constant(f"{step.name}/paddings", widths)
    e.writer.operator("PAD", 2, [x.index, at], out.index, schema.PadOptionsT())
    return out


def reshape(e: Emitter, step: Step, inputs: list[Value]) -> Value:
    """RESHAPE; Flatten too: both frameworks keep NHWC order."""
    x = inputs[0]
    out = e.tensor(step.name, step.shape, x.scale, x.zero_point)
    at = e.writer.index_constant(f"{step.name}/shape", np.array([1, *step.shape], np.int32))
    options = schema.ReshapeOptionsT()
    options.newShape = [1, *step.shape]
    e.writer.operator("RESHAPE", 1, [x.index, at], out.index, options)
    return out


def requantize(e: Emitter, step: Step, inputs: list[Value]) -> Value:
    """Emits the QUANTIZE of a QActivation that follows no operator of its own.

    On the same grid there is nothing to do.
    """
    x, grid = inputs[0], _grid(step)
    if (x.scale, x.zero_point) == (grid.scale, grid.zero_point):
        return x
    if grid.low == 0 or not grid.one_stage:
        raise ValueError(
            "it narrows its input's range, which no single operator does exactly; move it to a "
            "layer"
        )
    out = e.tensor(step.name, step.shape, grid.scale, grid.zero_point)
    e.writer.operator("QUANTIZE", 2, [x.index], out.index, schema.QuantizeOptionsT())
    return out


def _with_weights(e: Emitter, step: Step, x: Value) -> list[int]:
    folded: Folded = fold(step.layer, step.batchnorm)
    scales = folded.scales
    if (scales == scales[0]).all() and folded.weights.ndim == 2:
        scales = scales[:1]
    bias_scales = np.float32(x.scale) * scales
    bias = np.subtract(
        folded.integer_bias(x.scale), _first_rounding(step, x.scale * scales), dtype=np.int32
    )
    return [
        x.index,
        e.writer.constant(f"{step.layer.name}/weights", folded.weights, scales, folded.axis),
        e.writer.constant(f"{step.layer.name}/bias", bias, bias_scales.astype(np.float32)),
    ]


def _first_rounding(step: Step, accumulator: NDArray[np.floating]) -> NDArray[np.int32]:
    """What makes up for the kernels' first rounding in the bias.

    It is 1 where that rounding would carry a sum over a tie, else 0.

    TFLite requantizes by a power of two 2**-n, n >= 2, in two roundings half away from zero, first
    to an even number of accumulator units. So a positive result is rounded up from one unit below
    the tie; one unit less in the bias, and it is from the tie itself. Negative results would move
    the other way, but a grid that begins at 0 has none.
    """
    grid = _grid(step)
    shift = np.log2(grid.scale / accumulator)
    return np.asarray((grid.low == 0) & (shift == np.rint(shift)) & (shift >= 2), np.int32)


def _window_options(options: Any, layer: Any) -> Any:
    if layer.data_format != "channels_last":
        raise ValueError("only channels_last is supported")
    options.strideH, options.strideW = (int(s) for s in layer.strides)
    options.dilationHFactor, options.dilationWFactor = (int(d) for d in layer.dilation_rate)
    options.padding = _padding(layer)
    return options


def _pool_options(layer: Any) -> Any:
    options = schema.Pool2DOptionsT()
    options.filterHeight, options.filterWidth = (int(n) for n in layer.pool_size)
    options.strideH, options.strideW = (int(s) for s in layer.strides)
    options.padding = _padding(layer)
    return options


def _padding(layer: Any) -> int:
    return int({"same": schema.Padding.SAME, "valid": schema.Padding.VALID}[layer.padding])


def _pool(
    e: Emitter, step: Step, x: Value, code: str, options: Any, name: str, shape: tuple[int, ...]
) -> Value:
    if step.layer.data_format != "channels_last":
        raise ValueError("only channels_last is supported")
    out = e.tensor(name, shape, x.scale, x.zero_point)
    e.writer.operator(code, 2, [x.index], out.index, options)
    return out


def _check_same_grid(step: Step, x: Value) -> None:
    grid = _grid(step)
    if (grid.scale, grid.zero_point) != (x.scale, x.zero_point):
        raise ValueError(
            f"the QActivation after it must have its input's grid (scale {x.scale}), not "
            f"{grid.scale}"
        )
