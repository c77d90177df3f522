"""Fixed little-endian layouts, declared once as frozen dataclasses and shared by Python and C++.

A layout is a frozen dataclass whose fields are annotated with the types below. Fields are naturally
aligned and nothing is padded, so the same declaration is a C struct;
``tinyrobust/core/abi/headers.py`` writes that struct.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, fields
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from tinyrobust.core.plain import printable

T = TypeVar("T")


@dataclass(frozen=True)
class Scalar:
    """One number, or a fixed array of ``count``.

    It is a ``struct`` code and the C type of the same width.
    """

    code: str
    ctype: str
    count: int = 1


@dataclass(frozen=True)
class Raw:
    """``count`` bytes; ``text`` marks zero-padded UTF-8."""

    count: int
    text: bool = False


U8 = Annotated[int, Scalar("B", "uint8_t")]
U16 = Annotated[int, Scalar("H", "uint16_t")]
U32 = Annotated[int, Scalar("I", "uint32_t")]
I32 = Annotated[int, Scalar("i", "int32_t")]
U64 = Annotated[int, Scalar("Q", "uint64_t")]
F32 = Annotated[float, Scalar("f", "float")]
Dims = Annotated[tuple[int, ...], Scalar("I", "uint32_t", 4)]


@dataclass(frozen=True)
class Member:
    """One resolved field of a layout, at its byte offset.

    ``kind`` is its annotation, or the layout that is nested there.
    """

    name: str
    offset: int
    size: int
    kind: Scalar | Raw | type


def members(layout: type) -> tuple[Member, ...]:
    """The fields of ``layout`` with their offsets.

    Raises TypeError on an unknown or misaligned field.
    """
    if layout not in _RESOLVED:
        _RESOLVED[layout] = _resolve(layout)
    return _RESOLVED[layout]


_RESOLVED: dict[type, tuple[Member, ...]] = {}


def _resolve(layout: type) -> tuple[Member, ...]:
    hints = get_type_hints(layout, include_extras=True)
    out: list[Member] = []
    offset = 0
    for item in fields(layout):
        hint = hints[item.name]
        kind: Scalar | Raw | type = get_args(hint)[1] if get_origin(hint) is Annotated else hint
        size, align = _extent(kind)
        if offset % align:
            raise TypeError(
                f"{layout.__name__}.{item.name} at byte {offset} is not aligned to {align}"
            )
        out.append(Member(item.name, offset, size, kind))
        offset += size
    return tuple(out)


def alignment(layout: type) -> int:
    """Largest natural alignment among the fields, in bytes."""
    return max((_extent(m.kind)[1] for m in members(layout)), default=1)


def size(layout: type) -> int:
    """Size of ``layout`` in bytes. Raises TypeError where C would pad the end."""
    last = members(layout)
    total = last[-1].offset + last[-1].size if last else 0
    if total % alignment(layout):
        raise TypeError(
            f"{layout.__name__} is {total} bytes, not a multiple of {alignment(layout)}"
        )
    return total


def _extent(kind: Scalar | Raw | type) -> tuple[int, int]:
    if isinstance(kind, Scalar):
        one = struct.calcsize("<" + kind.code)
        return one * kind.count, one
    if isinstance(kind, Raw):
        return kind.count, 1
    return size(kind), alignment(kind)


def pack(value: Any) -> bytes:
    """A layout instance to its bytes.

    Raises ValueError (with the field's name) on a value that does not fit.
    """
    out = bytearray()
    for m in members(type(value)):
        item = getattr(value, m.name)
        try:
            if isinstance(m.kind, Scalar):
                numbers = item if m.kind.count > 1 else (item,)
                out += struct.pack(f"<{m.kind.count}{m.kind.code}", *numbers)
            elif isinstance(m.kind, Raw):
                data = item.encode() if m.kind.text else item
                if len(data) > m.kind.count or (not m.kind.text and len(data) != m.kind.count):
                    raise ValueError(f"{len(data)} bytes into {m.kind.count}")
                out += data.ljust(m.kind.count, b"\0")
            else:
                out += pack(item)
        except (struct.error, TypeError, ValueError) as err:
            raise ValueError(f"{type(value).__name__}.{m.name} = {item!r}: {err}") from None
    return bytes(out)


def _text(part: bytes) -> str:
    """A text field; what the other side put into it is shown, so it must be fit to be."""
    return printable(part.rstrip(b"\0").decode("utf-8", "replace"))


def unpack(layout: type[T], data: bytes) -> T:
    """Bytes to a layout instance. Texts come printable (tinyrobust/core/plain.py).

    Raises ValueError unless ``data`` has exactly the layout's size.
    """
    if len(data) != size(layout):
        raise ValueError(f"{layout.__name__} takes {size(layout)} bytes, got {len(data)}")
    values: dict[str, Any] = {}
    for m in members(layout):
        part = data[m.offset : m.offset + m.size]
        if isinstance(m.kind, Scalar):
            numbers = struct.unpack(f"<{m.kind.count}{m.kind.code}", part)
            values[m.name] = numbers if m.kind.count > 1 else numbers[0]
        elif isinstance(m.kind, Raw):
            values[m.name] = _text(part) if m.kind.text else part
        else:
            values[m.name] = unpack(m.kind, part)
    return layout(**values)


def describe(layout: type) -> str:
    """One line that names every field of ``layout`` with its type and offset.

    The hashes of protocol and plan are made of such lines.
    """

    def name(kind: Scalar | Raw | type) -> str:
        if isinstance(kind, Scalar):
            return f"{kind.ctype}[{kind.count}]"
        if isinstance(kind, Raw):
            return f"{'char' if kind.text else 'byte'}[{kind.count}]"
        return f"({describe(kind)})"

    return f"{layout.__name__}:" + ",".join(
        f"{m.name}@{m.offset}:{name(m.kind)}" for m in members(layout)
    )


def fingerprint(*parts: str) -> int:
    """First 32 bits of the SHA-256 of ``parts``."""
    return int.from_bytes(hashlib.sha256("\n".join(parts).encode()).digest()[:4], "little")
