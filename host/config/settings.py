"""A setting of a run, declared once: where it stands in ``bench.toml`` and on the command line.

Fields of ``tinyrobust.host.config.bench.Config`` are such declarations. What reads the file, the
options of ``tinyrobust run`` and what overrides what all follow from them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from tinyrobust.host.config.values import Reader

T = TypeVar("T")
_KEY = "setting"


@dataclass(frozen=True)
class Setting:
    """How the value of one field is given; its name in the file is the field's."""

    read: Reader
    """Reads it from the file."""
    flag: str = ""
    """Its option; empty where it stands in the file alone."""
    help: str = ""
    """What the option's help says."""
    metavar: str | None = None
    """How that help calls the value."""
    choices: tuple[str, ...] = ()
    """The only values it may have, besides the empty one where that is its default."""
    offered: tuple[str, ...] = ()
    """Values that its option takes; which of them may stand here depends on other settings."""
    typed: Callable[[str], Any] | None = None
    """Reads it from the command line; None: the text itself."""


def setting(
    default: T,
    read: Reader,
    flag: str = "",
    help: str = "",
    *,
    metavar: str | None = None,
    choices: tuple[str, ...] = (),
    offered: tuple[str, ...] = (),
    typed: Callable[[str], Any] | None = None,
) -> T:
    """A field of a frozen dataclass that is a ``Setting`` with this ``default``."""
    declared = Setting(read, flag, help, metavar, choices, offered, typed)
    made: T = field(default=default, metadata={_KEY: declared})
    return made


def settings(kind: Any) -> dict[str, Setting]:
    """The settings that the dataclass ``kind`` declares, by the names of its fields, in order."""
    return {one.name: one.metadata[_KEY] for one in fields(kind)}
