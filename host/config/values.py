"""Values of a run's settings: out of TOML, where they have types, or out of a command line's text.

What reads TOML raises ValueError, whose text goes on after the name of the key. What reads a
command line raises argparse's error, whose text is shown after the name of the option.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

MOST_DIGITS = 100
"""Of a number that is written as a text."""

Reader = Callable[[object], Any]
"""A value as TOML has it to what a setting holds. Raises ValueError."""


def number(value: object) -> float:
    """A number, or a text such as ``8/255``. Raises ValueError on anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("must be a number or a fraction such as 8/255")
    try:
        return _fraction(value.strip()) if isinstance(value, str) else float(value)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ValueError("must be a number or a fraction such as 8/255") from None


def _fraction(text: str) -> float:
    if len(text) > MOST_DIGITS:
        raise ValueError("too long")
    # A Fraction would hold every digit of 1e999999999: what has an exponent is read as a float.
    return float(text) if "e" in text.lower() else float(Fraction(text))


def text(value: object) -> str:
    """A text. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return value


def integer(value: object) -> int:
    """A whole number. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")
    return value


def path(value: object) -> Path:
    """A path, its ``~`` expanded as a shell would do. Raises ValueError."""
    return Path(text(value)).expanduser()


def each(item: Reader) -> Reader:
    """What reads a list, each element as ``item`` does."""

    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError("must be a list")
        return tuple(item(v) for v in value)

    return read


def table(readers: Mapping[str, Reader], make: Callable[..., Any]) -> Reader:
    """What reads a table whose keys are those of ``readers``, and gives ``make`` of the values."""

    def read(value: object) -> Any:
        if not isinstance(value, dict):
            raise ValueError("must be a table")
        values: dict[str, Any] = {}
        for key, item in value.items():
            if key not in readers:
                raise ValueError(f"unknown key {key!r}; known are {', '.join(readers)}")
            try:
                values[key] = readers[key](item)
            except ValueError as err:
                raise ValueError(f"{key} {err}") from None
        return make(**values)

    return read


def typed_names(given: str) -> tuple[str, ...]:
    """``a,b`` of a command line as a tuple of names."""
    return tuple(part.strip() for part in given.split(",") if part.strip())


def typed_numbers(given: str) -> tuple[float, ...]:
    """``2/255,0.1`` of a command line as a tuple of numbers."""
    try:
        return tuple(number(part) for part in given.split(","))
    except ValueError as err:
        raise argparse.ArgumentTypeError(f"{given!r}: each {err}") from None


def typed_single(given: str) -> tuple[int, ...]:
    """A whole number of a command line as a tuple of one."""
    try:
        return (int(given),)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid int value: {given!r}") from None
