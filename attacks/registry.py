"""Every attack by its name in ``bench.toml``.

A family is a file; its rows are listed at its end as ``ROWS``.
"""

from __future__ import annotations

from collections.abc import Iterable

from tinyrobust.attacks import control
from tinyrobust.attacks.base.problem import AttackInfo
from tinyrobust.attacks.black_box import boundary, geoda, hopskipjump, noises, square, zeroth_order
from tinyrobust.attacks.white_box import (
    apgd,
    autoattack,
    carlini_wagner,
    ddn,
    deepfool,
    ead,
    fab,
    jsma,
    sign_steps,
)
from tinyrobust.core.errors import UsageError, nearest

FAMILIES = (
    control,
    noises,
    sign_steps,
    apgd,
    deepfool,
    jsma,
    carlini_wagner,
    ead,
    ddn,
    fab,
    autoattack,
    square,
    zeroth_order,
    boundary,
    hopskipjump,
    geoda,
)

ATTACKS: dict[str, AttackInfo] = {row.name: row for family in FAMILIES for row in family.ROWS}

HOME: dict[str, str] = {row.name: family.__name__ for family in FAMILIES for row in family.ROWS}
"""The module each attack is declared in."""


def find(name: str) -> AttackInfo:
    """The attack called ``name``.

    Raises UsageError that offers the nearest, or lists what there is.
    """
    if name not in ATTACKS:
        raise UsageError(f"unknown attack {name!r}: {nearest(name, ATTACKS)}")
    return ATTACKS[name]


STUDIES = ("s1", "s2", "s3", "s4")
"""A study's group holds every attack with its preset: those called ``...-s1`` and so on."""

STANDARD = "standard"
STRONG = (
    "clean",
    "noise",
    "fgsm",
    "pgd",
    "apgd-ce",
    "apgd-dlr",
    "deepfool",
    "ddn",
    "salt-and-pepper",
    "square-linf",
    "boundary",
)
"""Two controls, one step, iterations, AutoAttack's two losses, the shortest way out by gradients
and by decisions, the fewest elements, and scores alone: what finds most for minutes on digits.
"""


def groups() -> dict[str, tuple[str, ...]]:
    """Every group with its attacks, in the registry's order; a study without presets has none."""
    studies = {name: tuple(row for row in ATTACKS if row.endswith(f"-{name}")) for name in STUDIES}
    return {STANDARD: STRONG, "all": tuple(ATTACKS)} | {
        name: rows for name, rows in studies.items() if rows
    }


def expand(names: Iterable[str]) -> tuple[str, ...]:
    """Attacks and groups to attacks, each once and in order.

    Raises UsageError on a name that is neither.
    """
    there = groups()
    found: dict[str, None] = {}
    for name in names:
        if name not in there and name not in ATTACKS:
            raise UsageError(f"unknown attack {name!r}: {nearest(name, (*ATTACKS, *there))}")
        found |= dict.fromkeys(there.get(name, (name,)))
    return tuple(found)
