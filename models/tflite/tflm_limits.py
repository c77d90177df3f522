"""What older TensorFlow Lite Micro gets wrong of a model that the plan takes."""

from __future__ import annotations

import numpy as np

from tinyrobust.models.tflite.reader import Graph, Operator, read_graph
from tinyrobust.models.tflite.schema import OPERATOR


def per_channel_dense(tflite: bytes) -> tuple[str, ...]:
    """Names of the FULLY_CONNECTED operators whose weights have scales that differ.

    Raises as ``read_graph`` does.

    A scale for each channel that is everywhere the same is one scale: reading the first of them is
    right.
    """
    graph = read_graph(tflite)
    dense = (
        op for op in graph.operators if OPERATOR.get(op.code) == "FULLY_CONNECTED" and _has(op, 1)
    )
    return tuple(op.name for op in dense if len(np.unique(graph.tensors[op.inputs[1]].scales)) > 1)


def without_bias(tflite: bytes) -> tuple[str, ...]:
    """Names of the convolutions that have no bias. Raises as ``read_graph`` does."""
    return tuple(op.name for op in _convolutions(read_graph(tflite)) if not _has(op, 2))


def _convolutions(graph: Graph) -> list[Operator]:
    return [
        op for op in graph.operators if OPERATOR.get(op.code) in ("CONV_2D", "DEPTHWISE_CONV_2D")
    ]


def _has(op: Operator, index: int) -> bool:
    return len(op.inputs) > index and op.inputs[index] >= 0
