"""Where an exported network leaves the trained one, layer by layer.

It is for exports that are not exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyrobust.core.types import IntArray, TensorSpec
from tinyrobust.models.keras.tf import keras
from tinyrobust.models.rungs.oracle import Oracle
from tinyrobust.models.rungs.parity import on_grid
from tinyrobust.models.tflite.reader import Tensor, read_graph


@dataclass(frozen=True)
class LayerParity:
    """One layer's values, QKeras against tflite-micro.

    Differences carry over from the layers before it.
    """

    layer: str
    equal: float
    """Share of values on the same level."""
    worst: int
    """Largest difference in levels."""


def compare_layers(model: Any, tflite: bytes, source: TensorSpec, q: IntArray) -> list[LayerParity]:
    """Compares every Keras layer that ``lower`` gave a tensor of its own, in order.

    ``q`` is int8 [n, *source.shape].
    """
    graph = read_graph(tflite)
    layers = {layer.name for layer in model.layers}
    tensors = [
        graph.tensors[op.outputs[0]]
        for op in graph.operators
        if graph.tensors[op.outputs[0]].name in layers
    ]
    sizes = [t.size for t in tensors]
    joined = TensorSpec((sum(sizes),), 1.0, 0)
    with Oracle(tflite, source, joined, model.name, tuple(t.index for t in tensors)) as oracle:
        integers = np.split(oracle.run(q), np.cumsum(sizes)[:-1], axis=1)
    inner = keras.Model(model.inputs, [model.get_layer(t.name).output for t in tensors])
    reals = inner(source.dequantize(q), training=False)
    return [
        _compare(t, np.asarray(real), ints)
        for t, real, ints in zip(
            tensors, reals if len(tensors) > 1 else [reals], integers, strict=True
        )
    ]


def _compare(t: Tensor, real: np.ndarray, ints: IntArray) -> LayerParity:
    spec = TensorSpec(t.shape[1:], float(t.scales[0]), int(t.zero_points[0]))
    gap = np.abs(on_grid(real.reshape(len(ints), -1), spec) - ints.astype(np.int64))
    return LayerParity(t.name, float(np.mean(gap == 0)), int(gap.max()))
