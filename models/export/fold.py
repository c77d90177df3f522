"""Weights, bias and batch norm of one QKeras layer, folded for an integer operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tinyrobust.models.keras.tf  # noqa: F401 (before anything that imports TensorFlow)
from tinyrobust.models.export.weight_grid import WeightGrid, weight_grid
from tinyrobust.models.keras.qdense_batchnorm import QDenseBatchnorm

from qkeras import QConv2D, QConv2DBatchnorm, QDense  # isort: skip  (after keras.tf)
from qkeras import QDepthwiseConv2D, QDepthwiseConv2DBatchnorm  # isort: skip

CONVOLUTIONS = (QConv2D, QConv2DBatchnorm)
DEPTHWISE = (QDepthwiseConv2D, QDepthwiseConv2DBatchnorm)
DENSE = (QDense, QDenseBatchnorm)
_SELF_FOLDING = (QConv2DBatchnorm, QDepthwiseConv2DBatchnorm, QDenseBatchnorm)


@dataclass(frozen=True)
class Folded:
    """A layer's weights and bias with its batch norm in them.

    ``weights`` are in TFLite's order, their scales per output channel along ``axis``; the bias is
    real-valued.
    """

    weights: NDArray[np.int8]
    scales: NDArray[np.float32]
    axis: int
    bias: NDArray[np.float64]

    def integer_bias(self, input_scale: float) -> NDArray[np.int32]:
        """Biases on the accumulator's grid, within half a unit.

        Raises ValueError where int32 does not hold one.
        """
        units = self.bias / (input_scale * self.scales.astype(np.float64))
        if np.abs(units).max(initial=0) > np.iinfo(np.int32).max:
            raise ValueError("a bias does not fit int32 on the accumulator's grid")
        return np.rint(units).astype(np.int32)


def fold(layer: Any, batchnorm: Any | None) -> Folded:
    """The integer form of ``layer`` followed by ``batchnorm`` (or None).

    Raises ValueError with the reason.
    """
    kernel, bias, quantizer = _parameters(layer)
    quantized = np.asarray(quantizer(kernel))
    outputs_first = _outputs_first(layer, quantized)
    channels = len(outputs_first)
    grid = weight_grid(outputs_first.reshape(channels, -1), _own_scale(layer, quantizer, quantized))
    if batchnorm is not None:
        factor, offset = _batchnorm(batchnorm)
        grid, bias = grid.scaled(factor), bias * factor + offset
    return _in_tflite_order(layer, grid, outputs_first.shape, np.broadcast_to(bias, channels))


def _parameters(layer: Any) -> tuple[Any, NDArray[np.float64], Any]:
    """Kernel (a tensor, before its quantizer), bias after its own, and the kernel's quantizer."""
    quantizer = (
        layer.depthwise_quantizer_internal
        if isinstance(layer, DEPTHWISE)
        else layer.kernel_quantizer_internal
    )
    if quantizer is None:
        raise ValueError("its weights have no quantizer")
    if isinstance(layer, _SELF_FOLDING):
        kernel, bias = layer.get_folded_weights()
    else:
        kernel = layer.depthwise_kernel if isinstance(layer, DEPTHWISE) else layer.kernel
        bias = layer.bias if layer.use_bias else np.zeros(1, np.float32)
    if layer.bias_quantizer_internal is not None:
        bias = layer.bias_quantizer_internal(bias)
    return kernel, np.asarray(bias, np.float64), quantizer


def _own_scale(layer: Any, quantizer: Any, quantized: NDArray[np.float32]) -> NDArray[np.float64]:
    """The quantizer's scale per output channel where it is not a power of two.

    That is so with alpha="auto" and with an odd fixed alpha.
    """
    scale = np.asarray(getattr(quantizer, "scale", 1.0), np.float64)
    per_channel = _outputs_first(layer, np.broadcast_to(scale, quantized.shape))
    flat = per_channel.reshape(len(per_channel), -1)
    if not (flat == flat[:, :1]).all():
        raise ValueError("its weight scale varies within an output channel")
    own: NDArray[np.float64] = flat[:, 0].copy()
    fraction, _ = np.frexp(own)
    own[(fraction == 0.5) | (own == 0)] = 1.0
    return own


def _outputs_first(layer: Any, kernel: NDArray[Any]) -> NDArray[Any]:
    """Keras's kernel with its output channels as the first dimension."""
    if isinstance(layer, DEPTHWISE):  # [h, w, in, multiplier] -> [in * multiplier, h, w]
        return np.moveaxis(kernel.reshape(*kernel.shape[:2], -1), -1, 0)
    return np.moveaxis(kernel, -1, 0)  # [h, w, in, out] -> [out, h, w, in]; [in, out] -> [out, in]


def _in_tflite_order(
    layer: Any, grid: WeightGrid, shape: tuple[int, ...], bias: NDArray[np.float64]
) -> Folded:
    ints = grid.ints.reshape(shape)
    axis = 0
    if isinstance(layer, DEPTHWISE):  # [out, h, w] -> [1, h, w, out]
        ints, axis = np.moveaxis(ints, 0, -1)[np.newaxis], 3
    return Folded(
        np.ascontiguousarray(ints), grid.scales.astype(np.float32), axis, bias.astype(np.float64)
    )


def _batchnorm(layer: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Inference form ``y = factor * x + offset``."""
    mean, variance = (
        np.asarray(layer.moving_mean, np.float64),
        np.asarray(layer.moving_variance, np.float64),
    )
    factor = 1 / np.sqrt(variance + layer.epsilon)
    if layer.scale:
        factor = factor * np.asarray(layer.gamma, np.float64)
    offset = -mean * factor
    if layer.center:
        offset = offset + np.asarray(layer.beta, np.float64)
    return factor, offset
