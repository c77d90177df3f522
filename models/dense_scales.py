"""Fully connected operators with a scale for each output channel: what older TensorFlow Lite Micro gets wrong."""

from __future__ import annotations

import numpy as np

from models.graph import read_graph
from models.schema import OPERATOR


def per_channel_dense(tflite: bytes) -> tuple[str, ...]:
    """Names of the FULLY_CONNECTED operators whose weights have scales that differ. Raises as ``read_graph`` does.

    A scale for each channel that is everywhere the same is one scale: reading the first of them is right.
    """
    graph = read_graph(tflite)
    weights = (
        (op.name, graph.tensors[op.inputs[1]].scales)
        for op in graph.operators
        if OPERATOR.get(op.code) == "FULLY_CONNECTED" and len(op.inputs) > 1 and op.inputs[1] >= 0
    )
    return tuple(name for name, scales in weights if len(np.unique(scales)) > 1)
