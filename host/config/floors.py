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
_LEVEL = 1 / 255 - 1e-9
"""The least budget: one level of the input."""


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
class Certified:
    """The least share of samples, 0..1, that must be certified at an Linf budget."""

    eps: float
    """Fraction of the input range, at least one level."""
    share: float


@dataclass(frozen=True)
class Gate:
    """What a run must reach on ``rung``, and what must be certified of what is flashed.

    Raises UsageError on a floor outside 0..1 or a negative byte count.
    """

    rung: str = DEVICE
    """A rung of the ladder; ``device`` is the run's own, ``native`` or ``board``."""
    floors: tuple[Floor, ...] = ()
    differing_bytes: int | None = None
    """Most output bytes that may differ from the oracle's.

    Unset: none, but a machine without oracle passes.
    """
    certified: tuple[Certified, ...] = ()

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
        for proof in self.certified:
            if not 0.0 <= proof.share <= 1.0:
                raise UsageError(f"gate: certified share {proof.share:g}: give a share from 0 to 1")
            if not _LEVEL <= proof.eps <= 1.0:
                raise UsageError(
                    f"gate: certified eps {proof.eps:g}: a fraction of the input range, 1/255 to 1"
                )
        if self.differing_bytes is not None and self.differing_bytes < 0:
            raise UsageError(f"gate: differing_bytes {self.differing_bytes}: give 0 or more")


def _certified(eps: float | None = None, share: float | None = None) -> Certified:
    if eps is None or share is None:
        raise ValueError("needs eps and share")
    return Certified(eps, share)


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
_CERTIFIED = {"eps": values.number, "share": values.number}
_GATE = {
    "rung": values.text,
    "floors": values.each(values.table(_FLOOR, _floor)),
    "certified": values.each(values.table(_CERTIFIED, _certified)),
    "differing_bytes": values.integer,
}
read_gate = values.table(_GATE, Gate)
"""The table ``[gate]``, as TOML has it, to a Gate. Raises ValueError and UsageError."""
