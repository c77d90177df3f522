"""How the layers of a Functional model are wired, as Keras 2 and Keras 3 write it down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tinyrobust.models.keras.files.values import Node

MAX_LAYERS = 1024
MAX_SEQUENCE = 256
"""Layers of one Sequential model, which Keras builds anew for each layer that is added."""
MAX_CALLS = 2048
"""Calls of layers, those in a nested model as often as it is called: three lines of JSON can
nest a billion."""
Reference = tuple[str, int, int]
"""Name of a layer, which of its calls, which of that call's outputs."""


@dataclass(frozen=True)
class Call:
    """One use of a layer, the ``number``-th of its uses.

    ``inputs`` are one tensor or a list of several.
    """

    layer: str
    number: int
    inputs: tuple[Reference, ...]
    training: bool | None


def calls_of(node: Node, data: dict[str, Any]) -> Iterator[Call]:
    """The uses of a layer, as Keras 2 (lists of references) or Keras 3 (arguments) lists them."""
    uses = data.get("inbound_nodes", [])
    if not isinstance(uses, list) or len(uses) > MAX_CALLS:
        node.refuse("has inputs that are no list, or too long a one")
    for number, use in enumerate(uses):
        given, options = (
            _references_and_options(use) if isinstance(use, list) else _arguments(node, use)
        )
        training = options.pop("training", None)
        if any(v is not None for v in options.values()) or training not in (None, True, False):
            node.refuse(
                f"({node.kind}) is called with {', '.join(map(str, options))[:60]!a} besides its "
                "inputs"
            )
        inputs = tuple(references(node, given))
        if not inputs:
            node.refuse("is called with nothing")
        yield Call(str(node.name), number, inputs, training)


def _references_and_options(use: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Of a use by Keras 2: ``[name, call, output, options]``, or a list of such."""
    given = [use] if use and isinstance(use[0], str) else use
    options: dict[str, Any] = {}
    for entry in given:
        if isinstance(entry, list) and len(entry) == 4 and isinstance(entry[3], dict):
            options |= entry[3]
    return given, options


def _arguments(node: Node, use: Any) -> tuple[Any, dict[str, Any]]:
    args, options = (
        (use.get("args"), use.get("kwargs", {})) if isinstance(use, dict) else (None, {})
    )
    if not isinstance(args, list) or len(args) != 1 or not isinstance(options, dict):
        node.refuse(f"({node.kind}) is an operation between tensors; use a layer of keras.layers")
    return args[0], dict(options)


def references(node: Node, data: Any) -> Iterator[Reference]:
    """All references to tensors in ``data``, in order.

    They are ``[name, call, output]``, with options after them, or Keras 3's tensors.
    """
    if isinstance(data, dict) and data.get("class_name") == "__keras_tensor__":
        config = data.get("config")
        data = config.get("keras_history") if isinstance(config, dict) else None
    if isinstance(data, dict) and "class_name" not in data:
        data = list(data.values())
    if not isinstance(data, list) or len(data) > MAX_LAYERS:
        node.refuse("refers to something that is no tensor")
    if len(data) in (3, 4) and isinstance(data[0], str):
        name, call, output = data[:3]
        if type(call) is not int or type(output) is not int:
            node.refuse("refers to something that is no tensor")
        yield name, call, output
        return
    for entry in data:
        yield from references(node, entry)
