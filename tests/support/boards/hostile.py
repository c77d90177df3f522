"""A board in memory that bends one thing of what it says, and the ways of bending it."""

import random
import zlib
from dataclasses import replace

from tests.support.boards.simulated import EDGE, MemoryBoard
from tinyrobust.core.abi.layout import pack, size
from tinyrobust.core.abi.wire import (
    Error,
    ErrorReply,
    FrameHeader,
    Hello,
    Infer,
    Layer,
    LayerData,
    Load,
    Loaded,
    OperatorTicks,
    Profile,
    Profiled,
    Result,
    Tensor,
    TickUnit,
    Type,
)
from tinyrobust.host.link.frame import CRC_BYTES, HEADER_BYTES, Damaged

U32 = 2**32 - 1
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\n"


class HostileBoard(MemoryBoard):
    """Answers as qemu_an500 does; ``bend(frame, say)`` changes what ``say()`` gives, ``says`` its
    INFO.
    """

    def __init__(self, bend=lambda frame, say: say(), **says):
        honest = {"board": "qemu_an500", "tick_unit": TickUnit.CMSDK_TIMER}
        super().__init__(**{**honest, **says})
        self.bend = bend

    def answer(self, frame):
        if isinstance(frame, Damaged):
            return super().answer(frame)
        return self.bend(frame, lambda: self.honestly(frame))

    def honestly(self, frame):
        crc = zlib.crc32(frame.tail)
        if isinstance(frame.body, Profile):
            return Profiled(9, crc, 1), pack(OperatorTicks(9, "NEGATE"))
        if isinstance(frame.body, Layer):
            return LayerData(crc, frame.body.op), frame.tail
        return super().answer(frame)


class Raw(HostileBoard):
    """Says ``noise()`` instead of the answer to anything but the first ``honest`` messages."""

    def __init__(self, noise, honest=0):
        super().__init__()
        self.noise, self.honest = noise, honest

    def write(self, data):
        self.honest -= 1
        if self.honest >= 0:
            super().write(data)

    def read(self, timeout):
        return super().read(timeout) or self.noise()


def only(kind, change):
    """Bends answers to messages of one kind: ``change(body, tail)``."""

    def bend(frame, say):
        return change(*say()) if isinstance(frame.body, kind) else say()

    return bend


def result(**changes):
    """Bends every RESULT."""
    return only(Infer, lambda body, tail: (replace(body, **changes), tail))


def refusing(kind, code, detail=0, text=b""):
    """Answers every message of a kind by an ERROR."""
    return lambda frame, say: (
        (ErrorReply(code, detail), text) if isinstance(frame.body, kind) else say()
    )


def after_hello(count, **changes):
    """INFO is another one from the ``count``-th HELLO on."""
    heard = []

    def bend(frame, say):
        body, tail = say()
        heard.append(isinstance(frame.body, Hello))
        changed = isinstance(frame.body, Hello) and sum(heard) > count
        return (replace(body, **changes) if changed else body), tail

    return bend


def tensor(**changes):
    """The edge tensor of the board in memory, bent."""
    return replace(EDGE, **changes)


def frame_of(kind, body, tail):
    """An intact frame of any bytes, also such as tinyrobust.host.link.frame would not make."""
    from cobs import cobs

    plain = pack(FrameHeader(kind, 0, 1)) + body + tail
    return cobs.encode(plain + zlib.crc32(plain).to_bytes(CRC_BYTES, "little")) + b"\0"


def noise():
    """Bytes that are no frames."""
    return random.Random(1).randbytes(400)


INFOS = {
    "tick unit unknown": {"tick_unit": 99},
    "window of nothing": {"window": 0},
    "window of four thousand million": {"window": U32},
    "cycles at no clock": {"tick_unit": TickUnit.CPU_CYCLES, "clock_hz": 0},
    "systick at no clock": {"tick_unit": TickUnit.SYSTICK, "clock_hz": 0},
    "half a plan": {"plan_ready": 7},
    "plan somewhere else": {"plan_in_ram": U32},
    "one baud": {"baud": 1},
    "four thousand million baud": {"max_baud": U32},
}
"""INFO that no board can mean."""

TENSORS = {
    "of 65536 x 65536": {"dims": (1, 1, 65536, 65536)},
    "of four times 2^32 - 1": {"dims": (U32,) * 4},
    "whose size is 0 modulo 2^64": {"dims": (65536,) * 4},
    "without elements": {"dims": (1, 1, 0, 8)},
    "of scale NaN": {"scale": float("nan")},
    "of infinite scale": {"scale": float("inf")},
    "of scale 0": {"scale": 0.0},
    "of negative scale": {"scale": -0.5},
    "of a scale that is hardly one": {"scale": 1e-45},
    "of a scale beyond float32 logits": {"scale": 3e38},
    "of zero point 128": {"zero_point": 128},
    "of zero point -2^31": {"zero_point": -(2**31)},
    "of floats": {"dtype": 1},
    "of no type": {"dtype": U32},
    "of int16 with the zero point of nothing": {"dtype": 7, "zero_point": 40000},
}
"""Edge tensors that no network has."""

ANSWERS = {
    "ticks 2^63": (result(ticks=2**63), "9223372036854775808 ticks"),
    "ticks 2^64 - 1": (result(ticks=2**64 - 1), "18446744073709551615 ticks"),
    "output too short": (
        only(Infer, lambda body, tail: (body, tail[:-1])),
        "7 bytes, its output tensor has 8",
    ),
    "output too long": (
        only(Infer, lambda body, tail: (body, tail * 2)),
        "16 bytes, its output tensor has 8",
    ),
    "output of a mebibyte": (
        only(Infer, lambda body, tail: (body, tail * (1 << 17))),
        "1048576 bytes",
    ),
    "no output": (only(Infer, lambda body, tail: (body, b"")), "0 bytes"),
    "always of another sample": (result(input_crc=1), "that of another sample"),
    "always of another network": (result(plan_crc=1), "that of another sample or network"),
    "INFER answered by LOADED": (
        only(Infer, lambda body, tail: (Loaded(0, 1), b"")),
        "INFER with LOADED",
    ),
    "HELLO answered by RESULT": (
        only(Hello, lambda body, tail: (Result(1, 1, 1), b"")),
        "HELLO with RESULT",
    ),
    "plan went nowhere": (
        only(Load, lambda body, tail: (Loaded(0, 0), b"")),
        "expects plan byte 0",
    ),
    "plan went too far": (
        only(Load, lambda body, tail: (Loaded(U32, 1), b"")),
        f"expects plan byte {U32}",
    ),
    "plan always at its end": (
        refusing(Load, Error.WRONG_OFFSET, 200),
        "the board holds plan 0000",
    ),
    "plan always at its start": (
        refusing(Load, Error.WRONG_OFFSET, 0),
        "the board holds plan 0000",
    ),
    "plan far beyond its end": (
        refusing(Load, Error.WRONG_OFFSET, U32),
        "WRONG_OFFSET (4294967295)",
    ),
    "plan too large for 4 GiB": (
        refusing(Load, Error.PLAN_TOO_LARGE, U32),
        "the network takes 4294967295 bytes",
    ),
    "plan too large for nothing": (refusing(Load, Error.PLAN_TOO_LARGE, 0), "PLAN_TOO_LARGE (0)"),
    "error unknown": (refusing(Infer, U32, U32), f"error {U32} ({U32})"),
    "error text of escapes": (
        refusing(Hello, Error.ENGINE_FAILED, 0, ESCAPES.encode()),
        "?]0;owned??[2J?31m",
    ),
    "error text that is no text": (
        refusing(Infer, Error.ENGINE_FAILED, 0, b"\xff\xfe\xed\xa0\x80"),
        "ENGINE_FAILED",
    ),
    "error after every plan": (refusing(Infer, Error.NO_PLAN), "NO_PLAN"),
    "operators beyond all": (
        only(Profile, lambda b, t: (replace(b, n_ops=U32), t)),
        f"timed {U32} operators",
    ),
    "operators without counts": (
        only(Profile, lambda b, t: (replace(b, n_ops=2), t)),
        "timed 2 operators and sent",
    ),
    "operators not announced": (
        only(Profile, lambda b, t: (replace(b, n_ops=0), t)),
        "timed 0 operators and sent",
    ),
    "another board's uid": (after_hello(2, uid=b"\7" * 12), "has become another one"),
    "another engine": (after_hello(2, engine="else"), "has become another one (test was else)"),
    "another clock": (
        after_hello(2, clock_hz=1),
        "has become another one (clock 16000000 Hz was clock 1 Hz)",
    ),
    "another protocol later on": (after_hello(2, protocol=1), "build and flash"),
    "a plan of its own": (
        only(Hello, lambda b, t: (replace(b, plan_id=b"\7" * 32), t)),
        "the board holds plan 0707",
    ),
}
"""Answers that no board gives; what the line says of them."""

SILENT = r"the line is silent, no answer for 0\.15 s: is the right firmware running\? reset"
NO_FRAME = r"the line brings no intact frame \(\d+ damaged ones\), no answer for 0\.15 s: "
UNASKED = r"the line loses frames \(\d+ of \d+ requests lost\), no answer for \d\S* s: "

NOISES = {
    "nothing": (lambda: b"", SILENT),
    "noise": (noise, NO_FRAME),
    "one frame without end": (lambda: b"\1" * 4096, NO_FRAME),
    "empty frames": (lambda: bytes(4096), NO_FRAME),
    "intact frames that nobody asked for": (
        lambda: frame_of(Type.RESULT, bytes(size(Result)), b""),
        f"{UNASKED}|answers HELLO with RESULT",
    ),
    "frames longer than any": (
        lambda: frame_of(Type.LOADED, bytes(8), bytes(5000)),
        NO_FRAME,
    ),
    "messages of no type": (lambda: frame_of(0x7F, bytes(8), b""), NO_FRAME),
    "requests": (
        lambda: frame_of(Type.HELLO, bytes(8), b""),
        f"{UNASKED}|answers HELLO with HELLO",
    ),
    "refusals of everything": (
        lambda: frame_of(Type.ERROR, bytes(8), b""),
        f"{UNASKED}|error 0",
    ),
    "half a frame": (
        lambda: frame_of(Type.LOADED, bytes(8), b"")[: HEADER_BYTES + 3],
        NO_FRAME,
    ),
}
"""What may come instead of answers."""

__all__ = [
    "ANSWERS",
    "ESCAPES",
    "INFOS",
    "NOISES",
    "TENSORS",
    "HostileBoard",
    "Raw",
    "Tensor",
    "tensor",
]
