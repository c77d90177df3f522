"""JSON to frozen dataclasses: every value has the type that its field declares.

Where one has not, one line says which.

Texts come printable (tinyrobust/core/plain.py), numbers finite and within 64 bits. What nobody else
declares nobody else checks: the fields' annotations are the schema.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
from enum import Enum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from tinyrobust.core.plain import printable

T = TypeVar("T")
MOST_INT = 2**63 - 1


def parse_json(text: str | bytes) -> Any:
    """A JSON document.

    Raises ValueError where it is none, has a NaN, or is nested deeper than Python goes.
    """
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def read(kind: type[T], raw: object, where: str = "") -> T:
    """``raw``, as ``parse_json`` gives it, as an instance of the dataclass ``kind``.

    Lists become tuples.

    Raises ValueError, naming the field below ``where``, on a missing, unknown or ill-typed one.
    Fields with a default may be missing.
    """
    if not isinstance(raw, dict):
        raise ValueError(f"{where or kind.__name__} must be an object, not {_said(raw)}")
    hints = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    prefix = f"{where}." if where else ""
    for name in raw:
        if name not in fields:
            raise ValueError(f"{prefix}{printable(name)[:80]} is no field of it")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in raw:
            values[name] = _value(hints[name], raw[name], prefix + name)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ValueError(f"{prefix}{name} is missing")
    return kind(**values)


def _value(hint: Any, raw: object, where: str) -> Any:
    origin, given = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        kinds = [one for one in given if one is not types.NoneType]
        return None if raw is None else _value(kinds[0], raw, where)
    if origin is tuple:
        return _tuple(given, raw, where)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return read(hint, raw, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _member(hint, raw, where)
    return _scalar(hint, raw, where)


def _scalar(hint: Any, raw: object, where: str) -> Any:
    if hint is bool and isinstance(raw, bool):
        return raw
    if hint is str and isinstance(raw, str):
        return printable(raw)
    if isinstance(raw, (int, float)) and not isinstance(raw, bool) and abs(raw) <= MOST_INT:
        if hint is int and isinstance(raw, int):
            return raw
        if hint is float and math.isfinite(raw):
            return float(raw)
    names = {bool: "true or false", str: "a text", int: "a whole number", float: "a number"}
    if hint not in names:
        raise TypeError(f"{where}: no JSON for {hint}")
    raise ValueError(f"{where} must be {names[hint]}, not {_said(raw)}")


def _tuple(given: tuple[Any, ...], raw: object, where: str) -> tuple[Any, ...]:
    if not isinstance(raw, list):
        raise ValueError(f"{where} must be a list, not {_said(raw)}")
    kinds = [given[0]] * len(raw) if given[1:] == (Ellipsis,) else list(given)
    if len(kinds) != len(raw):
        raise ValueError(f"{where} must have {len(kinds)} elements, not {len(raw)}")
    return tuple(
        _value(kind, one, f"{where}[{at}]")
        for at, (kind, one) in enumerate(zip(kinds, raw, strict=True))
    )


def _member(kind: type[Enum], raw: object, where: str) -> Enum:
    for member in kind:
        if type(raw) is type(member.value) and raw == member.value:
            return member
    raise ValueError(
        f"{where} must be one of {', '.join(repr(member.value) for member in kind)}, "
        f"not {_said(raw)}"
    )


def _said(raw: object) -> str:
    """What stands there instead, short."""
    names = {dict: "an object", list: "a list", type(None): "null"}
    return names.get(type(raw)) or printable(json.dumps(raw))[:60]
