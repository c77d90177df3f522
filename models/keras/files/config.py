"""One layer of a file's description, made of a known class and of bounded values.

A class is taken from ``models/keras/files/allowed.py`` by its name, never from a module that the
file names.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from tinyrobust.core.errors import UsageError
from tinyrobust.models.keras.files.allowed import INPUT, LAYERS, PLAIN, why_not
from tinyrobust.models.keras.files.values import (
    MAX_DEPTH,
    MAX_TEXT,
    Node,
    Values,
    activation,
    dtype,
    first_line,
    quantizer,
)

_KNOWN_PACKAGES = ("keras", "tf_keras", "qkeras", "tinyrobust", "models")
"""Whose classes a file may name; ``models`` in files written before ``tinyrobust.models``."""
_UNUSED = ("_initializer", "_regularizer", "_constraint")
"""Endings of what only training needs. Weights come from the file."""
_KERAS_3_ONLY: dict[str, Any] = {
    "antialias": False,
    "data_format": "channels_last",
    "fill_mode": "constant",
    "fill_value": 0.0,
    "lora_rank": None,
    "noise_shape": None,
    "pad_to_aspect_ratio": False,
    "quantization_config": None,
    "renorm": False,
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
    "rms_scaling": False,
    "synchronized": False,
}
"""Options that some layers have in Keras 3 alone, each at the value at which the layer is Keras
2's."""


def node_of(data: Any, version: int) -> Node:
    """``data`` as a node of the description.

    Raises UsageError unless it is an object with a class name and a configuration.
    """
    if not isinstance(data, dict) or not isinstance(data.get("class_name"), str):
        raise UsageError("its description has something that is no layer")
    config = data.get("config")
    name = data.get("name") or (config.get("name") if isinstance(config, dict) else None)
    node = Node(data["class_name"], name if isinstance(name, str) and name else None, {}, version)
    for text in (node.kind, node.name or ""):
        if len(text) > MAX_TEXT or not text.isprintable():
            raise UsageError(f"its description has a layer named {text[:40]!a}, which is no name")
    if node.kind == "Lambda":
        node.refuse(why_not(node.kind))
    if isinstance(config, list) and node.kind == "Sequential":  # Keras 2.0
        config = {"layers": config}
    if not isinstance(config, dict):
        node.refuse(f"({node.kind}) has no configuration")
    _check_origin(node, data)
    return Node(node.kind, node.name, config, version)


def layer_of(node: Node) -> Any:
    """The Keras layer that ``node`` describes, without its weights.

    Raises UsageError naming it and the reason.
    """
    if node.kind not in LAYERS:
        node.refuse(why_not(node.kind))
    kind = LAYERS[node.kind]
    values = dict(_options(node, kind))
    if node.kind == "TimeDistributed":
        values["layer"] = _inner(node)
    try:
        return kind(**values)
    except Exception as err:  # Keras raises whatever its layers raise
        node.refuse(f"({node.kind}): Keras refuses its options ({first_line(err)})")


def input_shape(node: Node) -> tuple[tuple[int | None, ...], str]:
    """Shape with the batch, and dtype, of an ``InputLayer``."""
    config = node.config
    if config.get("sparse") or config.get("ragged"):
        node.refuse("is sparse or ragged; only dense inputs are supported")
    shape = Values(node).plain(config.get("batch_input_shape") or config.get("batch_shape"))
    if not isinstance(shape, tuple | list) or not 1 <= len(shape) <= MAX_DEPTH:
        node.refuse(f"({INPUT}) has no shape")
    if not all(d is None or (type(d) is int and d > 0) for d in shape):
        node.refuse(f"({INPUT}) has shape {list(shape)}")
    return tuple(shape), dtype(node, config.get("dtype", "float32"))


def _check_origin(node: Node, data: dict[str, Any]) -> None:
    """Refuses a layer whose author gave it the name of one of Keras's."""
    module, registered = data.get("module"), data.get("registered_name")
    if isinstance(module, str) and ".ops." in module:
        node.refuse(f"({node.kind}) is an operation between tensors; use a layer of keras.layers")
    theirs = isinstance(module, str) and module.split(".")[0] not in _KNOWN_PACKAGES
    if theirs or (isinstance(registered, str) and registered != node.kind):
        node.refuse(
            f"({node.kind}) is a class of its author's; neither Keras nor QKeras 0.9 has it"
        )


def _inner(node: Node) -> Any:
    inner = node_of(node.config.get("layer"), node.keras)
    if inner.kind not in PLAIN or inner.kind == node.kind:
        inner.refuse(
            why_not(inner.kind) if inner.kind not in LAYERS else f"({inner.kind}) is wrapped twice"
        )
    return layer_of(inner)


def _options(node: Node, kind: Any) -> Iterator[tuple[str, Any]]:
    """Keyword arguments of class ``kind``."""
    values = Values(node)
    accepted = _parameters(kind)
    for key, value in node.config.items():
        if key.endswith(_UNUSED) or (key == "layer" and node.kind == "TimeDistributed"):
            continue
        if key in ("dtype", "autocast", "batch_input_shape", "batch_shape", "name", "trainable"):
            yield from _common(node, key, value)
        elif (
            key in _KERAS_3_ONLY
            and node.keras >= 3
            and (key not in accepted or key.startswith("renorm"))
        ):
            if value is not None and value != _KERAS_3_ONLY[key]:
                node.refuse(
                    f"({node.kind}) has {key}={str(value)[:40]!a}, which Keras 2 does not know"
                )
        elif key == "negative_slope" and node.kind == "LeakyReLU":
            yield "alpha", values.plain(value)
        elif key == "activation" or key.endswith("_activation"):
            yield key, activation(node, key, value)
        elif key == "quantizer" or key.endswith("_quantizer"):
            yield key, quantizer(node, key, value)
        elif key in accepted or node.keras < 3:  # Keras 2 refuses what its layers do not take
            yield key, values.plain(value)
        else:
            node.refuse(f"({node.kind}) has an option {key[:40]!a}, which Keras 2 does not know")


def _parameters(kind: Any) -> set[str]:
    """What the constructors of ``kind`` and of the classes it is made of take by name."""
    names = {"implementation", "activity_regularizer", "input_dim", "input_length"}
    for base in kind.__mro__:
        if "__init__" in vars(base):
            names |= set(inspect.signature(base.__init__).parameters)
    return names - {"self", "args", "kwargs", "weights", "layer"}


def _common(node: Node, key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if key == "name" and node.name:
        yield "name", node.name
    elif key == "trainable":
        yield key, bool(value)
    elif key == "dtype":
        yield key, dtype(node, value)
    elif key in ("batch_input_shape", "batch_shape") and value is not None:
        yield "batch_input_shape", input_shape(node)[0]
