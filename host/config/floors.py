"""What a run must reach: the ``[gate]`` table of ``bench.toml``.

Data only; ``host/analysis/gate.py`` judges by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyrobust.core.errors import UsageError
from tinyrobust.host.config import values

DEVICE = "device"
WORST = "robust accuracy"


@dataclass(frozen=True)
class Floor:
    """The least accuracy, 0..1, of the gated rung: robust accuracy, or that under one attack."""

    attack: str
    """Empty: robust accuracy, over all attacks of the run."""
    accuracy: float
    source: str = "-"
    """Rung the attack was made on; ``-`` where it needs none."""
    eps: float = 0.0
    """Linf budget, fraction of the input range; 0 for the clean set."""


@dataclass(frozen=True)
class Gate:
    """What a run must reach on ``rung``.

    Raises UsageError on a floor outside 0..1 or a negative byte count.
    """

    rung: str = DEVICE
    """A rung of the ladder; ``device`` is the run's own, ``native`` or ``board``."""
    floors: tuple[Floor, ...] = ()
    differing_bytes: int | None = None
    """Most output bytes that may differ from the oracle's.

    Unset: none, but a machine without oracle passes.
    """

    def __post_init__(self) -> None:
        for floor in self.floors:
            if not 0.0 <= floor.accuracy <= 1.0:
                raise UsageError(
                    f"gate: accuracy {floor.accuracy:g} of {floor.attack or WORST}: "
                    "give a share from 0 to 1"
                )
            if not 0.0 <= floor.eps <= 1.0:
                raise UsageError(
                    f"gate: eps {floor.eps:g} of {floor.attack or WORST}: "
                    "a fraction of the input range, 0 to 1"
                )
        if self.differing_bytes is not None and self.differing_bytes < 0:
            raise UsageError(f"gate: differing_bytes {self.differing_bytes}: give 0 or more")


def _floor(attack: str = "", accuracy: float | None = None, **more: Any) -> Floor:
    if accuracy is None:
        raise ValueError("needs accuracy")
    return Floor(attack, accuracy, **more)


_FLOOR = {
    "attack": values.text,
    "accuracy": values.number,
    "source": values.text,
    "eps": values.number,
}
_GATE = {
    "rung": values.text,
    "floors": values.each(values.table(_FLOOR, _floor)),
    "differing_bytes": values.integer,
}
read_gate = values.table(_GATE, Gate)
"""The table ``[gate]``, as TOML has it, to a Gate. Raises ValueError and UsageError."""
