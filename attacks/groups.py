"""Names for several attacks at once: ``--attacks standard``, or a study's own, ``--attacks s4``."""

from __future__ import annotations

from collections.abc import Iterable

from attacks.registry import ATTACKS
from host.nearest import nearest
from host.types import UsageError

STUDIES = ("s1", "s2", "s3", "s4")
"""A study's group holds every attack with its preset: those called ``...-s1`` and so on."""

STANDARD = "standard"
STRONG = (
    "clean", "noise", "fgsm", "pgd", "apgd-ce", "apgd-dlr", "deepfool", "ddn", "salt-and-pepper", "square-linf",
    "boundary",
)  # fmt: skip
"""Two controls, one step, iterations, AutoAttack's two losses, the shortest way out by gradients and by decisions, the
fewest elements, and scores alone: what finds most for minutes on digits."""


def groups() -> dict[str, tuple[str, ...]]:
    """Every group with its attacks, in the registry's order; a study without presets has none."""
    studies = {name: tuple(row for row in ATTACKS if row.endswith(f"-{name}")) for name in STUDIES}
    return {STANDARD: STRONG, "all": tuple(ATTACKS)} | {name: rows for name, rows in studies.items() if rows}


def expand(names: Iterable[str]) -> tuple[str, ...]:
    """Attacks and groups to attacks, each once and in order. Raises UsageError on a name that is neither."""
    there = groups()
    found: dict[str, None] = {}
    for name in names:
        if name not in there and name not in ATTACKS:
            raise UsageError(f"unknown attack {name!r}: {nearest(name, (*ATTACKS, *there))}")
        found |= dict.fromkeys(there.get(name, (name,)))
    return tuple(found)
