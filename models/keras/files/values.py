"""The values in one layer's configuration, all bounded and known.

They are numbers, texts, dtypes, activations and quantizers.

Every nested object is found by its name in ``models/keras/files/allowed.py`` and built here.
Keras's own deserialization, which imports modules and unmarshals functions that a file names, is
never asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NoReturn

from tinyrobust.core.errors import UsageError
from tinyrobust.models.keras.files.allowed import (
    ACTIVATIONS,
    DTYPES,
    KERAS_3_DIFFERS,
    PLAIN,
    Q_ACTIVATIONS,
    QUANTIZERS,
)

MAX_NUMBER = 2**31 - 1
MAX_QUANTIZER_NUMBER = 2**16
"""QKeras raises 2 to the power of some."""
MAX_TEXT = 256
MAX_VALUES = 1 << 16
"""Numbers and texts in one layer's configuration."""
MAX_DEPTH = 8
_CALL = re.compile(r"(\w+)(?:\(([^()]*)\))?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.IGNORECASE)


@dataclass(frozen=True)
class Node:
    """A layer as it is described.

    ``name`` may be missing; ``keras`` is the major version that wrote it.
    """

    kind: str
    name: str | None
    config: dict[str, Any]
    keras: int

    @property
    def label(self) -> str:
        """For messages."""
        return f"layer {self.name}" if self.name else f"a layer without a name ({self.kind})"

    def refuse(self, why: str) -> NoReturn:
        """Raises UsageError naming the layer."""
        raise UsageError(f"{self.label} {why}")


class Values:
    """Plain values of one layer, which together are bounded."""

    def __init__(self, node: Node, largest: int = MAX_NUMBER) -> None:
        self._node, self._largest, self._left = node, largest, MAX_VALUES

    def plain(self, value: Any, depth: int = 0) -> Any:
        """``value`` if it is made of plain things only.

        Those are None, bool, numbers, short texts, lists and Keras's tuples of them.
        """
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            self._node.refuse(f"({self._node.kind}) has options of more than {MAX_VALUES} values")
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            if abs(value) > self._largest:
                self._node.refuse(f"({self._node.kind}) has an option beyond {self._largest}")
            return value
        if isinstance(value, str) and len(value) <= MAX_TEXT:
            return value
        if isinstance(value, list):
            return [self.plain(v, depth + 1) for v in value]
        if isinstance(value, dict) and value.get("class_name") == "__tuple__":
            return tuple(self.plain(value.get("items") or [], depth + 1))
        return self._node.refuse(
            f"({self._node.kind}) has an option {_named(value)}, which is not supported"
        )


def dtype(node: Node, value: Any) -> str:
    """A dtype or a policy, both of which Keras 2 takes by name."""
    if isinstance(value, dict):
        config = value.get("config")
        value = config.get("name") if isinstance(config, dict) else None
    if not isinstance(value, str) or value not in DTYPES:
        node.refuse(
            f"({node.kind}) has dtype {str(value)[:40]!a}; {', '.join(sorted(DTYPES))} are known"
        )
    return value


def activation(node: Node, key: str, value: Any) -> Any:
    """A function of Keras, or what QKeras has for one."""
    if isinstance(value, dict) and value.get("class_name") == "function":
        value = value.get("config")
    ours = isinstance(value, str) and value in ACTIVATIONS.keys() - Q_ACTIVATIONS
    if node.kind not in PLAIN and not ours:
        return quantizer(node, key, value)
    if value is None:
        return None
    if not isinstance(value, str) or value not in ACTIVATIONS:
        node.refuse(
            f"({node.kind}) has {key} {_named(value)}; {', '.join(sorted(ACTIVATIONS))} are known"
        )
    if node.keras >= 3 and value in KERAS_3_DIFFERS:
        node.refuse(f"({node.kind}) has {key} {value!r}, which is another function in Keras 2")
    return ACTIVATIONS[value]


def quantizer(node: Node, key: str, value: Any) -> Any:
    """A quantizer object, or its text as QKeras reads it, ``quantized_bits(4,0,1)``."""
    if value is None:
        return None
    if (
        isinstance(value, dict)
        and isinstance(value.get("config"), dict)
        and _kind(value) in QUANTIZERS
    ):
        values = Values(node, MAX_QUANTIZER_NUMBER)
        config = {str(k): values.plain(v) for k, v in value["config"].items()}
        try:
            return QUANTIZERS[_kind(value)].from_config(config)
        except Exception as err:  # QKeras checks little
            node.refuse(f"({node.kind}): QKeras refuses its {key} ({first_line(err)})")
    found = (
        _CALL.fullmatch(value.strip())
        if isinstance(value, str) and len(value) <= MAX_TEXT
        else None
    )
    if not found or found[1] not in (QUANTIZERS.keys() | Q_ACTIVATIONS):
        node.refuse(f"({node.kind}) has {key} {_named(value)}, which is none of QKeras 0.9's")
    for argument in (found[2] or "").split(","):
        text = argument.split("=")[-1].strip()
        if _NUMBER.fullmatch(text) and abs(float(text)) > MAX_QUANTIZER_NUMBER:
            node.refuse(f"({node.kind}) has {key} {_named(value)}, whose numbers are too large")
    return value.strip()


def _kind(value: dict[str, Any]) -> str:
    return value["class_name"] if isinstance(value.get("class_name"), str) else ""


def _named(value: Any) -> str:
    """``value`` for a message: its text, or its class."""
    if isinstance(value, dict):
        return f"of class {_kind(value)[:40]!a}"
    return f"{str(value)[:60]!a}"


def first_line(err: BaseException) -> str:
    """What ``err`` says, in one printable line of at most 200 characters."""
    lines = [line.strip() for line in str(err).splitlines() if line.strip()]
    lines = [s for s in lines if not s.startswith(("Exception encountered", "Error when"))] or [
        type(err).__name__
    ]
    return "".join(c if c.isprintable() else "?" for c in lines[0])[:200]
