"""How budgets are written: Linf in 1/255 of the input range, others in multiples of it."""

from __future__ import annotations

from tinyrobust.core.cells import Cell
from tinyrobust.host.analysis.metrics import STEPS, SummaryRow
from tinyrobust.host.records.schema import Manifest

_NORMS = {"linf": "Linf", "l2": "L2", "l1": "L1", "l0": "L0"}


def asked(eps: float, norm: str, minimises: bool) -> str:
    """What an attack was asked for: ``8/255``, ``L2 0.5``, ``smallest L2`` where it minimises."""
    name = _NORMS.get(norm, norm)
    if minimises:
        return f"smallest {name}"
    return of_levels(eps) if norm == "linf" else f"{name} {eps:.3g}"


def of_cell(cell: Cell, manifest: Manifest) -> str:
    """What the attack of a cell was asked for, in the words of ``asked``."""
    kind = manifest.kind(cell.attack)
    return asked(cell.eps, kind.norm, kind.minimises) if kind else of_levels(cell.eps)


def of_row(row: SummaryRow) -> str:
    """What the attack of a row of figures was asked for, in the words of ``asked``."""
    return asked(row.eps, row.norm, row.minimises)


def reached(row: SummaryRow) -> str:
    """The largest perturbation that reached the chip, as ``8/255`` or ``L2 0.5``.

    For an L0 attack its L2 length is named too.
    """
    if row.norm == "l1" and row.l1_max is not None:
        return f"L1 {row.l1_max:.3g}"
    return of_levels(row.eps_reached_max) if row.norm == "linf" else f"L2 {row.l2_max:.3g}"


def returned(row: SummaryRow) -> str:
    """The largest perturbation that the attack itself gave, in its norm.

    It is measured before the result was brought to the input grid.
    """
    if row.norm == "linf":
        return of_levels(row.unsnapped_max)
    return f"{_NORMS.get(row.norm, row.norm)} {row.unsnapped_max:.3g}"


def unit(norm: str) -> str:
    """Of a norm's axis."""
    return {"linf": "in 1/255 of the input range", "l0": "in elements"}.get(
        norm, "in multiples of the input range"
    )


def of_levels(share: float) -> str:
    """``8/255``."""
    return f"{share * STEPS:.3g}/{STEPS}"
