"""What is installed, in which version, and what cannot be done without what is missing."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib import metadata

from tinyrobust.host.setup.environment import BENCH, BOARD_STEPS, PROJECT
from tinyrobust.host.setup.tools import TOOLS, checkout, found_version

PACKAGES = (
    ("numpy", "everything"),
    ("tensorflow", "training, gradient attacks, float rungs"),
    ("tf_keras", "QKeras models"),
    ("qkeras", "the qat rung"),
    ("foolbox", "attacks"),
    ("tflite-micro", "the tflm rung (wheels: Linux x86-64 only)"),
    ("pyarrow", "records"),
    ("pyserial", "real boards, UARTs"),
)
"""Distributions worth naming; the rest follows from requirements.lock."""


@dataclass(frozen=True)
class Row:
    """One line of the doctor's table.

    ``version`` None: it is missing, and ``remedy`` says what to do.
    """

    tool: str
    version: str | None
    needed_for: str
    remedy: str = ""


def doctor() -> list[Row]:
    """Every tool the bench may call. Never raises on a missing one."""
    rows = [Row("python", platform.python_version(), "everything")]
    for tool in TOOLS:
        version = found_version(tool)
        rows.append(Row(tool.name, version, tool.needed_for, "" if version else tool.remedy))
    for name, needed_for in PACKAGES:
        try:
            rows.append(Row(name, metadata.version(name), needed_for))
        except metadata.PackageNotFoundError:
            rows.append(Row(name, None, needed_for, "make setup"))
    root = checkout()
    for step in (BENCH, PROJECT, *BOARD_STEPS):
        version = "up to date" if step.up_to_date(root) else None
        rows.append(Row(step.name, version, step.needed_for, "" if version else "make setup"))
    return rows
