"""A Sequential or Functional model, built anew from a file's description.

Only layers that this bench knows are built.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tinyrobust.core.errors import UsageError
from tinyrobust.models.keras.files.allowed import INPUT, LAYERS, MODELS, why_not
from tinyrobust.models.keras.files.config import input_shape, layer_of, node_of
from tinyrobust.models.keras.files.values import Node, first_line
from tinyrobust.models.keras.files.wiring import (
    MAX_CALLS,
    MAX_LAYERS,
    MAX_SEQUENCE,
    Call,
    Reference,
    calls_of,
    references,
)
from tinyrobust.models.keras.tf import keras

MAX_ELEMENTS = 1 << 24
"""Of one layer's output, without the batch; as of a tensor in a ``.tflite``."""
_MAX_NESTING = 16


def rebuilt(description: Any, version: int) -> Any:
    """The Keras model of ``description``, with weights as they are initialized.

    ``description`` is JSON by Keras ``version`` (2 or 3).

    Raises UsageError naming the layer and the reason for whatever is no model of known layers of
    bounded size.
    """
    node = node_of(description, version)
    if node.kind not in MODELS:
        node.refuse(why_not(node.kind) if node.kind not in LAYERS else f"({node.kind}) is no model")
    return _Builder().model(node, 0)


class _Builder:
    """Counts what all models of one file take together."""

    def __init__(self) -> None:
        self._layers = 0
        self._calls = 0
        self._cost: dict[int, int] = {}

    def model(self, node: Node, depth: int) -> Any:
        if depth > _MAX_NESTING:
            node.refuse(f"({node.kind}) is nested more than {_MAX_NESTING} deep")
        data = node.config.get("layers")
        if not isinstance(data, list) or not data:
            node.refuse(f"({node.kind}) has no layers")
        self._layers += len(data)
        if self._layers > MAX_LAYERS or (node.kind == "Sequential" and len(data) > MAX_SEQUENCE):
            node.refuse(
                f"({node.kind}) has too many layers; {MAX_SEQUENCE} in a row and {MAX_LAYERS} in "
                "all fit"
            )
        before = self._calls
        build = self._sequential if node.kind == "Sequential" else self._functional
        model = build(node, data, depth)
        self._cost[id(model)] = self._calls - before
        return model

    def _layer(self, node: Node, depth: int) -> Any:
        if node.kind in MODELS:
            return self.model(node, depth + 1)
        if node.kind == INPUT:
            shape, dtype = input_shape(node)
            return keras.layers.InputLayer(batch_input_shape=shape, dtype=dtype, name=node.name)
        return layer_of(node)

    def _count(self, layer: Any) -> None:
        self._calls += self._cost.get(id(layer), 1)
        if self._calls > MAX_CALLS:
            raise UsageError(f"its layers are called more than {MAX_CALLS} times")

    def _sequential(self, node: Node, data: list[Any], depth: int) -> Any:
        model = keras.Sequential(name=node.name)
        for entry in data:
            inner = node_of(entry, node.keras)
            layer = self._layer(inner, depth)
            self._count(layer)
            with _naming(inner):
                model.add(layer)
            _bounded(inner, model.outputs or ())
        shape = node.config.get("build_input_shape")
        if not model.inputs and isinstance(shape, list) and len(shape) <= 8 and _are_dims(shape):
            with _naming(node):
                model.build(tuple(shape))
        return model

    def _functional(self, node: Node, data: list[Any], depth: int) -> Any:
        nodes = [node_of(entry, node.keras) for entry in data]
        layers: dict[str, Any] = {}
        calls: list[Call] = []
        for inner, entry in zip(nodes, data, strict=True):
            if not inner.name or inner.name in layers:
                inner.refuse(f"({inner.kind}) has no name of its own")
            layers[inner.name] = self._layer(inner, depth)
            calls += calls_of(inner, entry)
        ends = [
            list(references(node, node.config.get(key)))
            for key in ("input_layers", "output_layers")
        ]
        tensors = _Tensors(calls, ends[1], {str(n.name) for n in nodes if n.kind in MODELS})
        for inner in nodes:
            if inner.kind == INPUT:
                tensors.set(inner, 0, layers[str(inner.name)].output)
        self._run(calls, {str(n.name): n for n in nodes}, layers, tensors)
        inputs, outputs = ([tensors.get(node, r) for r in end] for end in ends)
        with _naming(node):
            return keras.Model(_single(inputs), _single(outputs), name=node.name)

    def _run(
        self, calls: list[Call], nodes: dict[str, Node], layers: dict[str, Any], tensors: _Tensors
    ) -> None:
        """Makes every call as soon as what it is called with is there.

        Calls of one layer are made in their order.
        """
        ready = deque(calls)
        blocked: dict[Reference, list[Call]] = {}
        while ready:
            call = ready.popleft()
            missing = tensors.missing(call)
            if missing is not None:
                blocked.setdefault(missing, []).append(call)
                continue
            node, layer = nodes[call.layer], layers[call.layer]
            self._count(layer)
            extra = {} if call.training is None else {"training": call.training}
            with _naming(node):
                outputs = layer(_single([tensors.get(node, r) for r in call.inputs]), **extra)
            for reference in tensors.set(node, call.number, outputs):
                ready.extend(blocked.pop(reference, ()))
        for waiting in blocked.values():
            nodes[waiting[0].layer].refuse("takes what no layer gives")


class _Tensors:
    """Outputs by reference.

    A nested model's calls are counted from 1 by Keras 2, from 0 by Keras 3.
    """

    def __init__(self, calls: list[Call], outputs: list[Reference], nested: set[str]) -> None:
        self._found: dict[Reference, Any] = {}
        references = [r for call in calls for r in call.inputs] + outputs
        self._first = {
            name: min((r[1] for r in references if r[0] == name), default=0) for name in nested
        }

    def _key(self, reference: Reference) -> Reference:
        name, call, output = reference
        return name, call - self._first.get(name, 0), output

    def missing(self, call: Call) -> Reference | None:
        """The first tensor that ``call`` has to wait for."""
        needed = [self._key(r) for r in call.inputs]
        if call.number:
            needed.append((call.layer, call.number - 1, 0))
        return next((r for r in needed if r not in self._found), None)

    def get(self, node: Node, reference: Reference) -> Any:
        if self._key(reference) not in self._found:
            node.refuse(f"takes an output of {reference[0][:60]!a}, which has none such")
        return self._found[self._key(reference)]

    def set(self, node: Node, call: int, outputs: Any) -> list[Reference]:
        """Keeps the outputs of a call; returns the references to them."""
        several = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
        _bounded(node, several)
        made = {(str(node.name), call, i): tensor for i, tensor in enumerate(several)}
        self._found |= made
        return list(made)


@contextmanager
def _naming(node: Node) -> Iterator[None]:
    """Turns whatever Keras raises inside into a UsageError that names the layer."""
    try:
        yield
    except UsageError:
        raise
    except Exception as err:  # Keras raises whatever its layers raise
        node.refuse(f"({node.kind}): Keras cannot build it ({first_line(err)})")


def _bounded(node: Node, tensors: Any) -> None:
    for tensor in tensors:
        dims = [d for d in tuple(getattr(tensor, "shape", ()))[1:] if d is not None]
        if math.prod(dims) > MAX_ELEMENTS:
            node.refuse(
                f"({node.kind}) has an output of {dims}, at most {MAX_ELEMENTS} elements are "
                "supported"
            )


def _are_dims(shape: list[Any]) -> bool:
    return all(d is None or (type(d) is int and 0 < d < 2**31) for d in shape)


def _single(tensors: list[Any]) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors
