"""What a run needs of the device it benches, whatever protocol it is spoken to in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from tinyrobust.core.abi.wire import Info, TickUnit
from tinyrobust.core.types import IntArray, Prediction, TensorSpec
from tinyrobust.host.config.parts import TINYROBUST


@dataclass(frozen=True)
class Identity:
    """What a device says of itself, as the manifest keeps it."""

    detail: str
    """One line: board, engine, firmware."""
    firmware: str
    """All that determines its answers besides network and input: part of a run's id."""
    tick_unit: str
    facts: tuple[tuple[str, str], ...]
    """(name, value), readable."""
    image: str = ""
    """SHA-256 of the firmware's file, or the build id that a real board states; empty where nobody
    can tell.
    """
    notes: tuple[str, ...] = ()
    """Lines the report must show."""
    protocol: str = TINYROBUST
    """One of ``tinyrobust.host.config.parts.PROTOCOLS``."""


class Network(Protocol):
    """What a device may want of a bundle."""

    @property
    def plan(self) -> bytes:
        """The whole plan (tinyrobust/core/abi/plan/)."""
        ...

    @property
    def plan_id(self) -> str:
        """The plan's SHA-256, in hex."""
        ...


class Target(Protocol):
    """The device of a run: a Predictor that is opened, told its network, and closed.

    See ``tinyrobust.host.devices.device.Device``.
    """

    emulated: bool

    @property
    def rung(self) -> str:
        """``native`` or ``board``."""
        ...

    @property
    def input(self) -> TensorSpec:
        """The input grid that samples are on."""
        ...

    @property
    def identity(self) -> Identity:
        """What it says of itself."""
        ...

    @property
    def counters(self) -> Any:
        """A dataclass of counts: what went over the wire so far."""
        ...

    @property
    def uploaded(self) -> bool:
        """Whether its network was uploaded to it, so that another one may be."""
        ...

    def load(self, bundle: Network, input: TensorSpec, output: TensorSpec) -> object:
        """Makes ``bundle`` its network, of these edge tensors.

        Raises LinkError or UsageError where that cannot be.
        """
        ...

    def predict(self, q: IntArray) -> Prediction:
        """Answers ``q``, int8 [n, *input.shape]."""
        ...

    def close(self) -> None:
        """Closes its port and stops what was started for it."""
        ...


@runtime_checkable
class Streaming(Protocol):
    """A device that is told questions while it answers earlier ones."""

    def answers(self, questions: Iterator[IntArray | None]) -> Iterator[tuple[int, Prediction]]:
        """Answers, as they come, to samples int8 [*input.shape]: each with its sample's number.

        ``questions`` is asked for more whenever there is room, in the middle of the conversation:
        None says that the next one depends on an answer that is still to come.
        """
        ...


def identity_of(info: Info, image: str, flash_bytes: int = 0) -> Identity:
    """What a board of our own protocol says of itself.

    ``flash_bytes`` is what its image takes, 0 where nobody can tell.
    """
    return Identity(
        detail=f"{info.board}: {info.engine}, firmware {info.firmware}",
        firmware=f"{info.firmware} {info.engine} {image}",
        tick_unit=TickUnit(info.tick_unit).name.lower(),
        facts=(*facts(info), *((("flash_bytes", str(flash_bytes)),) if flash_bytes else ())),
        image=image,
    )


def facts(info: Info) -> tuple[tuple[str, str], ...]:
    """What the board said of itself, readable."""
    return (
        ("board", info.board),
        ("firmware", info.firmware),
        ("engine", info.engine),
        ("cpuid", f"{info.cpuid:08x}"),
        ("uid", info.uid.hex()),
        ("clock_hz", str(info.clock_hz)),
        ("tick_unit", TickUnit(info.tick_unit).name.lower()),
        ("protocol", f"{info.protocol:08x}"),
        ("plan_id", info.plan_id.hex()),
        ("plan_bytes", str(info.plan_bytes)),
        ("plan_in_ram", str(info.plan_in_ram)),
        ("arena_bytes", str(info.arena_bytes)),
        ("scratch_bytes", str(info.scratch_bytes)),
        ("pool_bytes", str(info.pool_bytes)),
        ("pool_free", str(info.pool_free)),
        ("stack_bytes", str(info.stack_bytes)),
        ("baud", str(info.baud)),
        ("build_id", info.build_id.hex()),
        ("window", str(info.window)),
    )
