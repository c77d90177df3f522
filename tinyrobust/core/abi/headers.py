"""Writes ``firmware/include/{wire,plan}.gen.h`` from the modules of ``wire`` and ``plan``.

``python -m tinyrobust.core.abi.headers`` writes both headers; ``--check`` writes nothing and exits
1 where one of them is stale. The output is a pure function of the two modules and is clang-format
clean.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from enum import IntEnum
from pathlib import Path
from types import ModuleType

from tinyrobust.core.abi import plan, wire
from tinyrobust.core.abi.layout import Member, Raw, Scalar, members, size
from tinyrobust.core.files import write_whole

INCLUDE = Path(__file__).resolve().parents[3] / "firmware" / "include"


def camel(name: str) -> str:
    """``CONV_2D_S8`` to ``kConv2dS8``: macros of device headers are upper case, so ours are not."""
    return "k" + "".join(part.capitalize() for part in name.split("_"))


def layouts(package: ModuleType) -> Iterator[type]:
    """The dataclasses that the modules of ``package`` define, in the order of their sources."""
    modules = (item for item in vars(package).values() if isinstance(item, ModuleType))
    for module in sorted(modules, key=lambda module: module.__name__):
        for item in vars(module).values():
            if not isinstance(item, type) or item.__module__ != module.__name__:
                continue
            if is_dataclass(item):
                yield item


def space(name: str) -> str:
    """The C++ namespace of what the module called ``name`` defines: ``wire`` or ``plan``."""
    return name.removeprefix("tinyrobust.core.abi.").split(".")[0]


def field(module: ModuleType, member: Member) -> str:
    """One C++ field declaration."""
    kind = member.kind
    if isinstance(kind, Scalar):
        return f"{kind.ctype} {member.name}" + (f"[{kind.count}];" if kind.count > 1 else ";")
    if isinstance(kind, Raw):
        return f"{'char' if kind.text else 'uint8_t'} {member.name}[{kind.count}];"
    theirs = space(kind.__module__)
    prefix = "" if theirs == space(module.__name__) else f"{theirs}::"
    return f"{prefix}{kind.__name__} {member.name};"


def enum(item: type[IntEnum], ctype: str) -> Iterator[str]:
    """A scoped enum."""
    yield f"enum class {item.__name__} : {ctype} {{"
    yield from (f"  {camel(value.name)} = {value.value}," for value in item)
    yield from ("};", "")


def struct(module: ModuleType, layout: type) -> Iterator[str]:
    """A struct and the assertions that the compiler lays it out as Python does."""
    yield f"struct {layout.__name__} {{"
    yield from (f"  {field(module, m)}" for m in members(layout))
    yield "};"
    yield f"static_assert(sizeof({layout.__name__}) == {size(layout)});"
    yield from (
        f"static_assert(offsetof({layout.__name__}, {m.name}) == {m.offset});"
        for m in members(layout)
    )
    yield ""


def table(comment: str, head: str, rows: Iterator[tuple[str, str]], default: str) -> Iterator[str]:
    """A constexpr function that maps enumerators to values."""
    yield f"// {comment}"
    yield f"constexpr {head} {{"
    yield "  switch (key) {"
    for key, value in rows:
        yield from (f"    case {key}:", f"      return {value};")
    yield from ("    default:", f"      return {default};", "  }", "}", "")


def header(module: ModuleType, source: str, include: str, body: Iterator[str]) -> str:
    """The file around ``body``."""
    named = space(module.__name__)
    lines = [
        f"// Generated from {source} by tinyrobust/core/abi/headers.py; do not edit.",
        "#pragma once",
        "",
        "#include <cstddef>",
    ]
    lines += ["#include <cstdint>", "", *([f'#include "{include}"', ""] if include else [])]
    lines += [f"namespace {named} {{", "", *body, f"}}  // namespace {named}", ""]
    return "\n".join(lines)


def wire_header() -> str:
    """``wire.gen.h``: message types, bodies, bounds and the protocol hash."""

    def body() -> Iterator[str]:
        yield f"constexpr uint32_t kProtocol = 0x{wire.PROTOCOL:08x};"
        yield f"constexpr uint32_t kFirstBaud = {wire.FIRST_BAUD};"
        yield f"constexpr uint32_t kLoadChunk = {wire.LOAD_CHUNK};"
        yield f"constexpr uint32_t kMaxTensor = {wire.MAX_TENSOR};"
        yield f"constexpr uint32_t kMaxProfiled = {wire.MAX_PROFILED};"
        yield f"constexpr uint32_t kMaxText = {wire.MAX_TEXT};"
        yield ""
        yield from enum(wire.Type, "uint8_t")
        yield from enum(wire.Error, "uint32_t")
        yield from enum(wire.TickUnit, "uint32_t")
        for layout in layouts(wire):
            yield from struct(wire, layout)
        sizes = (
            (f"Type::{camel(t.name)}", f"sizeof({b.__name__})") for t, b in wire.BODIES.items()
        )
        yield from table(
            "Bytes of the fixed body, 0 for an unknown type.",
            "uint32_t body_bytes(Type key)",
            sizes,
            "0",
        )
        tails = ((f"Type::{camel(t.name)}", str(bound)) for t, bound in wire.TAILS.items())
        yield from table(
            "Longest tail in bytes, 0 where there is none.",
            "uint32_t max_tail(Type key)",
            tails,
            "0",
        )

    return header(wire, "tinyrobust/core/abi/wire", "", body())


def plan_header() -> str:
    """``plan.gen.h``: records of the plan, bounds and the layout hash."""

    def body() -> Iterator[str]:
        magic = ", ".join(f"0x{byte:02x}" for byte in plan.MAGIC)
        yield f"constexpr uint8_t kMagic[4] = {{{magic}}};"
        yield f"constexpr uint32_t kLayout = 0x{plan.LAYOUT:08x};"
        bounds = {name: value for name, value in vars(plan.bounds).items() if type(value) is int}
        yield from (
            f"constexpr uint32_t {camel(name)} = {value};" for name, value in bounds.items()
        )
        yield ""
        yield from enum(plan.Kind, "uint16_t")
        for layout in layouts(plan):
            yield from struct(plan, layout)
        sizes = (
            (f"Kind::{camel(k.name)}", f"sizeof({r.__name__})") for k, r in plan.RECORDS.items()
        )
        yield from table(
            "Bytes of a record, 0 for an unknown kind.",
            "uint32_t record_bytes(Kind key)",
            sizes,
            "0",
        )

    return header(plan, "tinyrobust/core/abi/plan", "wire.gen.h", body())


def main(arguments: list[str] | None = None) -> int:
    """Write or check both headers. Returns the exit status: 1 where ``--check`` found drift."""
    parser = argparse.ArgumentParser(
        prog="python -m tinyrobust.core.abi.headers", description=__doc__
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 where a header is stale"
    )
    check: bool = parser.parse_args(arguments).check
    status = 0
    for name, text in (("wire.gen.h", wire_header()), ("plan.gen.h", plan_header())):
        path = INCLUDE / name
        if not check:
            write_whole(path, text.encode())
        elif not path.exists() or path.read_text() != text:
            sys.stderr.write(
                f"firmware/include/{name} is stale: run python -m tinyrobust.core.abi.headers\n"
            )
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
