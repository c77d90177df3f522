"""A line that harms bytes in every way at once, by seed, and a clock that its bytes move on."""

from __future__ import annotations

import random
from enum import Enum, auto


class Fault(Enum):
    """What happens to one byte."""

    FLIP = auto()  # another byte comes
    DROP = auto()
    DUPLICATE = auto()
    REORDER = auto()  # it comes after the next
    DELAY = auto()  # it and all after it come with the next transfer


class Clock:
    """Stands in for the ``time`` module: seconds pass where the line is busy or waited for."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Direction:
    """One way over the line: a byte meets one of ``faults``, all alike, with probability
    ``share``.
    """

    def __init__(self, share: float, faults: tuple[Fault, ...], seed: int) -> None:
        self.share, self.faults, self.random = share, faults, random.Random(seed)
        self.late = bytearray()

    def carry(self, data: bytes) -> bytes:
        out, swapped = bytearray(self.late), bytearray()
        self.late.clear()
        delayed = False
        for byte in data:
            fault = self.random.choice(self.faults) if self.random.random() < self.share else None
            delayed = delayed or fault is Fault.DELAY
            to = self.late if delayed else out
            if fault is Fault.REORDER:
                swapped.append(byte)
                continue
            if fault is not Fault.DROP:
                to.append(self.random.randrange(256) if fault is Fault.FLIP else byte)
            if fault is Fault.DUPLICATE:
                to.append(byte)
            to += swapped
            swapped.clear()
        (self.late if delayed else out).extend(swapped)
        return bytes(out)


class FaultyPort:
    """``port`` behind a line of ``baud`` that harms ``share`` of the bytes, both ways, on
    ``clock``.
    """

    def __init__(self, port, share, seed, faults=tuple(Fault), clock=None, baud=115_200):
        self.port, self.clock, self.seconds_per_byte = port, clock or Clock(), 10 / baud
        self.down, self.up = (Direction(share, faults, seed * 2 + way) for way in (0, 1))

    def write(self, data):
        self.clock.now += self.seconds_per_byte * len(data)
        self.port.write(self.down.carry(data))

    def read(self, timeout):
        data = self.port.read(0)
        late = bool(self.up.late)
        out = self.up.carry(data)
        self.clock.now += self.seconds_per_byte * len(data) if data or late else timeout
        return out

    def close(self):
        self.port.close()
