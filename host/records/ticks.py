"""What a device's counts are: cycles of a real board, instructions of an emulated one. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tinyrobust.core.abi.wire import Info, TickUnit
from tinyrobust.core.errors import UsageError
from tinyrobust.host.records.schema import Manifest

ICOUNT_SECONDS = 64e-9
"""Emulated time of one instruction: QEMU's ``-icount shift=6`` (host/boards/emulator.py). Without
it counts mean nothing.
"""
CMSDK_HZ = 25_000_000


@dataclass(frozen=True)
class Counter:
    """The unit of a device's counter: ``ticks * per_tick`` are so many of ``unit``.

    ``hz`` of them pass in a second, 0 where they are no time.
    """

    unit: str
    per_tick: float = 1.0
    hz: int = 0


def counter(tick_unit: str, clock_hz: int, emulated: bool) -> Counter:
    """``tick_unit`` as the manifest has it. Raises UsageError on counts of a clock that stands.

    Renode's cycle counter counts instructions (renode/nucleo_f746.repl).
    """
    if tick_unit == _name(TickUnit.CPU_CYCLES):
        return Counter("instructions") if emulated else Counter("cycles", hz=clock_hz)
    if emulated and tick_unit in (_name(TickUnit.CMSDK_TIMER), _name(TickUnit.SYSTICK)):
        hz = CMSDK_HZ if tick_unit == _name(TickUnit.CMSDK_TIMER) else clock_hz
        if not hz:
            raise UsageError(
                f"{tick_unit} counts at the core's clock, and that is stated as 0 Hz: bench again"
            )
        return Counter("instructions", 1 / (hz * ICOUNT_SECONDS))
    return Counter("ns of the host" if tick_unit == _name(TickUnit.HOST_NS) else tick_unit)


def of_info(info: Info, emulated: bool) -> Counter:
    """Of a board that has said INFO."""
    return counter(_name(TickUnit(info.tick_unit)), info.clock_hz, emulated)


def of_manifest(manifest: Manifest) -> Counter:
    """Of a run's device."""
    return counter(manifest.tick_unit, manifest.stated("clock_hz") or 0, manifest.emulated)


def _name(unit: TickUnit) -> str:
    return unit.name.lower()
