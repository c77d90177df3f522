"""What an attack's bytes depend on.

Its own file, what that imports here, and how every attack reaches the grid.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tinyrobust.attacks.registry import HOME

_ROOM = Path(__file__).parent
_PACKAGE = "tinyrobust.attacks."
_LIST = "registry"
"""Imports every family, and says nothing of any: never followed."""


def of_attack(name: str) -> str:
    """SHA-256 of the sources that decide what ``name`` does.

    Another attack, new or changed, leaves it alone.
    """
    return _digest((_stem(HOME[name]), "batches"))


def of_checks() -> str:
    """SHA-256 of the sources that decide which flags an attack is given."""
    return _digest(("checks", _stem(HOME["fgsm"]), _stem(HOME["noise"])))


def reached(roots: Iterable[str]) -> tuple[str, ...]:
    """The modules of this package that ``roots`` import in any function, and ``roots``.

    By dotted name, sorted.
    """
    found: set[str] = set()
    left = list(roots)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [other for other in _imports(name) if other != _LIST]
    return tuple(sorted(found))


@cache
def _digest(roots: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for name in reached(roots):
        digest.update(name.encode() + b"\n" + _file(name).read_bytes())
    return digest.hexdigest()


@cache
def _imports(name: str) -> tuple[str, ...]:
    tree = ast.parse(_file(name).read_bytes())
    modules: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # What is imported may be a module of a folder, or a name out of a module.
            modules.update(f"{node.module}.{alias.name}" for alias in node.names)
            modules.add(node.module)
    ours = (_stem(module) for module in sorted(modules) if module.startswith(_PACKAGE))
    return tuple(stem for stem in ours if _file(stem).is_file())


def _file(stem: str) -> Path:
    return _ROOM.joinpath(*stem.split(".")).with_suffix(".py")


def _stem(module: str) -> str:
    """The module by its dotted name inside this package, such as ``white_box.apgd``."""
    return module.removeprefix(_PACKAGE)
