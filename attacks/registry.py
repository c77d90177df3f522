"""Every attack by its name in ``bench.toml``.

A family is a file; its rows are listed at its end as ``ROWS``.
"""

from __future__ import annotations

from collections.abc import Iterable

from tinyrobust.attacks import control
from tinyrobust.attacks.base.problem import AttackInfo, Norm
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
        raise UsageError(_unknown(name, ATTACKS))
    return ATTACKS[name]


def _unknown(name: str, known: Iterable[str]) -> str:
    """What to say of a name that is none of ``known``.

    Of an attack in a norm that it has not, which it has.
    """
    stem, _, norm = name.rpartition("-")
    rows = [row for row in ATTACKS.values() if row.name.split("-")[0] == stem]
    rows = [row for row in rows if row.name.rpartition("-")[2] not in STUDIES]
    if rows and norm in [one.value for one in Norm]:
        has = ", ".join(f"{row.name} is {row.norm.name.capitalize()}" for row in rows)
        return f"{stem} has no {norm.capitalize()}: {has}"
    return f"unknown attack {name!r}: {nearest(name, known)}"


STUDIES = ("s1", "s2", "s3", "s4")
"""A study's group holds every attack with its preset: those called ``...-s1`` and so on."""

QUICK, STANDARD, STRONG, ALL_NORMS = "quick", "standard", "strong", "all-norms"

SECONDS = ("clean", "noise", "fgsm", "pgd")
"""Two controls, one step, iterations: what a run makes that names no attack, in seconds on
digits.
"""

AUTOATTACK = ("apgd-ce", "apgd-t", "fab-t", "square")
"""AutoAttack's four, each on every sample (Croce and Hein 2020, arXiv:2003.01690). ``autoattack``
is the four in a row, each on what is left.
"""

MINUTES = (
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
    "hopskipjump",
)
"""Two controls, one step, iterations, Auto-PGD on two losses, the shortest way out by gradients
and by decisions, the fewest elements, and scores alone: what finds most for minutes on digits.
"""

EVERY_NORM = (
    *("apgd-ce", "apgd-t", "fab", "square-linf"),
    *("ddn", "fab-l2", "square-l2", "hopskipjump"),
    *("ead-l1",),
    *("jsma", "salt-and-pepper"),
)
"""The strongest of Linf, of L2, of L1 and of L0: by gradients, and where there is one by asking."""


def groups() -> dict[str, tuple[str, ...]]:
    """Every group with its attacks, in the registry's order; a study without presets has none."""
    studies = {name: tuple(row for row in ATTACKS if row.endswith(f"-{name}")) for name in STUDIES}
    ours = {QUICK: SECONDS, STANDARD: AUTOATTACK, STRONG: MINUTES, ALL_NORMS: EVERY_NORM}
    return {**ours, "all": tuple(ATTACKS)} | {name: rows for name, rows in studies.items() if rows}


def expand(names: Iterable[str]) -> tuple[str, ...]:
    """Attacks and groups to attacks, each once and in order.

    Raises UsageError on a name that is neither.
    """
    there = groups()
    found: dict[str, None] = {}
    for name in names:
        if name not in there and name not in ATTACKS:
            raise UsageError(_unknown(name, (*ATTACKS, *there)))
        found |= dict.fromkeys(there.get(name, (name,)))
    return tuple(found)
