"""Every attack by its name in ``bench.toml``. A family is a file; its rows are listed at its end as ``ROWS``."""

from __future__ import annotations

from attacks import (
    apgd,
    autoattack,
    boundary,
    carlini_wagner,
    control,
    ddn,
    deepfool,
    ead,
    fab,
    geoda,
    hopskipjump,
    jsma,
    noises,
    square,
    steps,
    zoo,
)
from attacks.problem import AttackInfo
from host.nearest import nearest
from host.types import UsageError

FAMILIES = (
    control, noises,
    steps, apgd, deepfool, jsma, carlini_wagner, ead, ddn, fab, autoattack,
    square, zoo, boundary, hopskipjump, geoda,
)  # fmt: skip

ATTACKS: dict[str, AttackInfo] = {row.name: row for family in FAMILIES for row in family.ROWS}

HOME: dict[str, str] = {row.name: family.__name__ for family in FAMILIES for row in family.ROWS}
"""The module each attack is declared in."""


def find(name: str) -> AttackInfo:
    """The attack called ``name``. Raises UsageError that offers the nearest, or lists what there is."""
    if name not in ATTACKS:
        raise UsageError(f"unknown attack {name!r}: {nearest(name, ATTACKS)}")
    return ATTACKS[name]
