"""A .tflite without the SOFTMAX at its end: the same network up to its logits."""

from __future__ import annotations

import flatbuffers

from tinyrobust.models.tflite.reader import read_graph
from tinyrobust.models.tflite.schema import parsing, schema

_OP = schema.BuiltinOperator


def without_softmax(tflite: bytes) -> bytes | None:
    """``tflite`` that ends with the input of its last SOFTMAX; None where it ends otherwise.

    RESHAPEs after the SOFTMAX go with it. What it takes over one row only is looked at: a SOFTMAX
    over several rows stays. Raises UsageError as ``read_graph`` does.
    """
    graph = read_graph(tflite)
    operators = list(graph.operators)
    while operators and operators[-1].code == _OP.RESHAPE:
        operators.pop()
    if len(operators) < 2 or operators[-1].code != _OP.SOFTMAX:
        return None
    sink = operators.pop().inputs[0]
    if graph.tensors[sink].shape[-1] != graph.tensors[sink].size:
        return None
    with parsing("model"):
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(tflite))
        (subgraph,) = model.subgraphs
        subgraph.operators = subgraph.operators[: len(operators)]
        subgraph.outputs = [sink]
        model.signatureDefs = None  # they name the output that is gone
        builder = flatbuffers.Builder(len(tflite))
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
