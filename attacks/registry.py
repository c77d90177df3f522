"""Every attack by its name in ``bench.toml``. A family is a file; its rows are listed at its end as ``ROWS``."""

from __future__ import annotations

from attacks import control, gradient
from attacks.problem import AttackInfo

FAMILIES = (control, gradient)

ATTACKS: dict[str, AttackInfo] = {row.name: row for family in FAMILIES for row in family.ROWS}
