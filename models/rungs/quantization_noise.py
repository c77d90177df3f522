"""How much noise a converted network adds to its original, layer by layer.

The original is the float or the fake-quantized network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyrobust.core.grid import to_model_input
from tinyrobust.core.types import FloatArray, IntArray, TensorSpec
from tinyrobust.models.keras.tf import keras
from tinyrobust.models.plan.compiler import compile_plan
from tinyrobust.models.rungs.oracle import Oracle
from tinyrobust.models.tflite.reader import Graph, Tensor, read_graph

_HALF = 10 * math.log10(2)
_MANY = 0.001
"""Share of saturated values that is named as the reason."""


@dataclass(frozen=True)
class LayerNoise:
    """One layer's tensor in tflite-micro against the Keras layer it is named after.

    Noise carries over from the layers before.
    """

    layer: str
    step: float
    """Real size of one level of the tensor."""
    sqnr: float
    """Signal to quantization noise in dB: 10 log10(mean(real^2) / mean(error^2)); 6 dB are one
    bit.
    """
    own: float
    """What it would be if rounding onto this layer's grid (step^2 / 12) were the only noise."""
    worst: float
    """Largest error in levels."""
    saturated: float
    """Share of values outside what the tensor can say: beyond the range that calibration saw."""

    def __str__(self) -> str:
        return (
            f"{self.layer}: {self.sqnr:.1f} dB of the {self.own:.1f} its grid allows, worst "
            f"{self.worst:.1f} levels, "
            f"{self.saturated:.2%} out of range"
        )


def layer_noise(model: Any, tflite: bytes, source: TensorSpec, q: IntArray) -> list[LayerNoise]:
    """The noise of every tensor of ``tflite`` that is a layer of Keras ``model``.

    ``tflite`` was converted from ``model``; ``q`` is int8 [n, *shape].
    """
    tensors = named_tensors(model, read_graph(tflite))
    sizes = [t.size for t in tensors.values()]
    grid = compile_plan(tflite).input
    joined = TensorSpec((sum(sizes),), 1.0, 0, grid.dtype)
    with Oracle(
        tflite, grid, joined, model.name, tuple(t.index for t in tensors.values())
    ) as oracle:
        integers = np.split(
            oracle.run(to_model_input(q, source, grid)), np.cumsum(sizes)[:-1], axis=1
        )
    inner = keras.Model(model.inputs, [model.get_layer(name).output for name in tensors])
    outputs = inner(source.dequantize(q), training=False)
    reals = outputs if len(tensors) > 1 else [outputs]
    return [
        _noise(name, t, np.asarray(real, np.float32).reshape(len(q), -1), ints)
        for (name, t), real, ints in zip(tensors.items(), reals, integers, strict=True)
    ]


def named_tensors(model: Any, graph: Graph) -> dict[str, Tensor]:
    """Keras layer to the operator output that holds its values, in the graph's order.

    The converter names a fused operator after all layers in it,
    ``net/relu/Relu;net/norm/...;net/conv/...``: its value is that of the last one. The graph's
    output has lost its name; it is the model's last layer.
    """
    order = {layer.name: i for i, layer in enumerate(model.layers)}
    found: dict[str, Tensor] = {}
    for op in graph.operators:
        tensor = graph.tensors[op.outputs[0]]
        parts = [
            piece
            for part in tensor.name.split(";")
            for piece in part.split("/")[1:2]
            if piece in order
        ]
        if tensor.index == graph.outputs[0]:
            parts = [model.layers[-1].name]
        if parts:
            found[max(parts, key=order.__getitem__)] = tensor
    return found


def _noise(name: str, t: Tensor, real: FloatArray, ints: IntArray) -> LayerNoise:
    spec = TensorSpec(t.shape[1:], float(t.scales[0]), int(t.zero_points[0]), ints.dtype.name)
    error = spec.dequantize(ints) - real
    signal = float(np.mean(np.square(real, dtype=np.float64)))
    sqnr = _decibels(signal, float(np.mean(np.square(error, dtype=np.float64))))
    half = spec.scale / 2
    out = float(np.mean((real < spec.low - half) | (real > spec.high + half)))
    worst = float(np.abs(error).max()) / spec.scale
    return LayerNoise(name, spec.scale, sqnr, _decibels(signal, spec.scale**2 / 12), worst, out)


def _decibels(signal: float, noise: float) -> float:
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal > 0 else -math.inf


def explained(layers: list[LayerNoise]) -> str:
    """One line: the layer with the least signal left, and where the noise in it comes from."""
    if not layers:
        return "no tensor carries a layer's name: nothing to compare layer by layer"
    layer = min(layers, key=lambda one: one.sqnr)
    if layer.saturated > _MANY:
        why = f"{layer.saturated:.2%} of its values are outside the range that calibration saw"
    elif layer.own - layer.sqnr > _HALF:
        why = (
            f"its own grid allows {layer.own:.1f} dB, "
            "the rest is noise of its weights and of the layers before it"
        )
    else:
        why = "rounding onto its own grid"
    return f"least signal is left at layer {layer.layer}, {layer.sqnr:.1f} dB: {why}"
