"""What the link tests talk to: a small board in memory, and a port that corrupts bytes.

Both deterministic by seed.
"""

import random
import zlib
from dataclasses import replace

from tests.support.levels import levels
from tinyrobust.core.abi.wire import (
    PROTOCOL,
    Error,
    ErrorReply,
    Hello,
    Infer,
    Info,
    Load,
    Loaded,
    Reset,
    Result,
    Tensor,
    TickUnit,
)
from tinyrobust.core.errors import LinkError
from tinyrobust.host.link.frame import Damaged, Deframer, encode

EDGE = Tensor((1, 1, 1, 8), 9, 0.5, 0)


class MemoryBoard:
    """A Port whose board answers in memory, in order, as firmware does: its "network" negates the
    sample.
    """

    def __init__(self, window=4, **says):
        self.window = window
        self.says = says  # what INFO says otherwise
        self.deframer = Deframer()
        self.out = bytearray()
        self.plan = bytearray()
        self.ready = False
        self.inferences = 0
        self.dead = False

    def read(self, timeout):
        if self.dead:
            raise LinkError("memory: gone")
        data, self.out = bytes(self.out), bytearray()
        return data

    def write(self, data):
        for frame in self.deframer.feed(data):
            body, tail = self.answer(frame)
            self.out += encode(0 if isinstance(frame, Damaged) else frame.seq, body, tail)

    def close(self):
        self.dead = True

    def answer(self, frame):
        if isinstance(frame, Damaged):
            return ErrorReply(Error.BAD_FRAME, 0), b""
        body, tail = frame.body, frame.tail
        if isinstance(body, Reset):
            self.plan, self.ready = bytearray(), False
        if isinstance(body, (Hello, Reset)):
            return self.info(), b""
        if isinstance(body, Load):
            if body.offset == 0:
                self.plan, self.ready = bytearray(), False
            if body.offset != len(self.plan):
                return ErrorReply(Error.WRONG_OFFSET, len(self.plan)), b"offset"
            self.plan += tail
            self.ready = len(self.plan) == body.total
            return Loaded(len(self.plan), self.ready), b""
        assert isinstance(body, Infer)
        if not self.ready:
            return ErrorReply(Error.NO_PLAN, 0), b"no plan"
        self.inferences += 1
        negated = bytes((-b) & 0xFF for b in tail)
        return Result(self.inferences, zlib.crc32(tail), zlib.crc32(self.plan)), negated

    def info(self):
        plan_id = zlib.crc32(self.plan).to_bytes(4, "big") * 8 if self.ready else bytes(32)
        info = Info(
            protocol=PROTOCOL,
            plan_crc=zlib.crc32(self.plan) if self.ready else 0,
            plan_ready=int(self.ready),
            cpuid=0,
            clock_hz=16_000_000,
            tick_unit=TickUnit.NONE,
            pool_bytes=1 << 16,
            plan_bytes=len(self.plan),
            plan_in_ram=1,
            arena_bytes=0,
            scratch_bytes=0,
            pool_free=0,
            max_frame=4200,
            rx_ring=0,
            window=self.window,
            n_ops=1,
            baud=0,
            max_baud=0,
            stack_bytes=0,
            stack_used=0,
            input=EDGE,
            output=EDGE,
            uid=bytes(12),
            build_id=bytes(20),
            plan_id=plan_id,
            firmware="1",
            engine="test",
            board="memory",
        )
        return replace(info, **self.says)


class MemoryPlan:
    """What Device.load takes."""

    def __init__(self, plan):
        self.plan = plan
        self.plan_id = (zlib.crc32(plan).to_bytes(4, "big") * 8).hex()


class NoisyPort:
    """Replaces each byte, in both directions, by a random one with probability ``share``."""

    def __init__(self, port, share, seed):
        self.port, self.share, self.random = port, share, random.Random(seed)

    def corrupt(self, data):
        flips = self.random
        return bytes(flips.randrange(256) if flips.random() < self.share else b for b in data)

    def read(self, timeout):
        return self.corrupt(self.port.read(timeout))

    def write(self, data):
        self.port.write(self.corrupt(data))

    def close(self):
        self.port.close()


def samples(n, seed=0):
    """``n`` inputs of the board in memory. It negates them, which -128 does not bear."""
    return levels(n, EDGE.dims[3:], seed, low=-127)
