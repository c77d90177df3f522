"""Register words as a probe read them, and fields of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Words = Mapping[int, int]
"""32-bit values by address; an address that could not be read is not there."""

AHB_DIVIDERS = (1,) * 8 + (2, 4, 8, 16, 64, 128, 256, 512)
"""HPRE: the same codes in RM0385 5.3.3, RM0351 6.4.3, RM0432 (RCC_CFGR) and RM0433 (RCC_D1CFGR)."""
APB_DIVIDERS = (1,) * 4 + (2, 4, 8, 16)
"""PPRE1, PPRE2 and D2PPRE1, of the same registers."""


class UnreadError(Exception):
    """A register that an answer takes was not read."""

    def __init__(self, address: int) -> None:
        super().__init__(f"0x{address:08x} could not be read")


@dataclass(frozen=True)
class Clock:
    """A clock's frequency in Hz, 0 where it stands still, and what feeds it."""

    hz: float
    source: str


@dataclass(frozen=True)
class Tree:
    """What a chip's clock tree gives: the core, and the serial line's kernel clock."""

    core: Clock
    serial: Clock
    waiting: tuple[str, ...]
    """Oscillators and PLLs that are switched on and not ready."""


def word(words: Words, address: int) -> int:
    """The word at ``address``. Raises UnreadError."""
    if address not in words:
        raise UnreadError(address)
    return words[address]


def field(value: int, low: int, bits: int) -> int:
    """``bits`` bits of ``value`` from bit ``low``."""
    return value >> low & (1 << bits) - 1


def waiting(control: int, pairs: Mapping[str, tuple[int, int]]) -> tuple[str, ...]:
    """Those of ``pairs``, (on, ready) bits of RCC_CR by name, that are on and not ready."""
    return tuple(
        name
        for name, (on, ready) in pairs.items()
        if field(control, on, 1) and not field(control, ready, 1)
    )
