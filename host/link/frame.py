"""Frames to messages and back; nothing damaged ever becomes a message.

A frame is ``COBS(FrameHeader | body | CRC-32) 0x00``.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

from cobs import cobs

from tinyrobust.core.abi.layout import pack, size, unpack
from tinyrobust.core.abi.wire import BODIES, TAILS, FrameHeader, Type

TYPES = {body: kind for kind, body in BODIES.items()}
"""Message class -> its type code."""

HEADER_BYTES = size(FrameHeader)
CRC_BYTES = 4
MAX_DECODED = max(
    HEADER_BYTES + size(body) + TAILS.get(kind, 0) + CRC_BYTES for kind, body in BODIES.items()
)
"""Longest decoded frame of the protocol, in bytes."""
GREETING = b"\r\ntinyrobust "
"""How the text begins that a board says between two delimiters when it starts: neither a frame nor
damage."""


def encoded_bound(decoded: int) -> int:
    """Longest COBS encoding of ``decoded`` bytes, without the delimiter."""
    return decoded + decoded // 254 + 1


@dataclass(frozen=True)
class Frame:
    """One intact message.

    ``body`` is an instance of the class that ``BODIES`` names for ``type``.
    """

    type: Type
    seq: int
    body: Any
    tail: bytes = b""


@dataclass(frozen=True)
class Damaged:
    """What stood between two delimiters and was no message; empty where it was too long to keep."""

    encoded: bytes


def decoded_size(body: Any, tail: bytes = b"") -> int:
    """Bytes of the frame before COBS: header, body, tail and CRC."""
    return HEADER_BYTES + size(type(body)) + len(tail) + CRC_BYTES


def encode(seq: int, body: Any, tail: bytes = b"") -> bytes:
    """A message to the bytes of its frame, delimiter included.

    Raises ValueError on a tail the protocol forbids.
    """
    kind = TYPES[type(body)]
    if len(tail) > TAILS.get(kind, 0):
        raise ValueError(
            f"{kind.name} carries at most {TAILS.get(kind, 0)} bytes of tail, got {len(tail)}"
        )
    plain = pack(FrameHeader(kind, 0, seq)) + pack(body) + tail
    return bytes(cobs.encode(plain + zlib.crc32(plain).to_bytes(CRC_BYTES, "little"))) + b"\0"


def decode(encoded: bytes) -> Frame | None:
    """A frame without its delimiter to a message; None where it is damaged or unknown."""
    try:
        data = cobs.decode(encoded)
    except cobs.DecodeError:
        return None
    if not HEADER_BYTES + CRC_BYTES <= len(data) <= MAX_DECODED:
        return None
    plain, crc = data[:-CRC_BYTES], data[-CRC_BYTES:]
    if zlib.crc32(plain) != int.from_bytes(crc, "little"):
        return None
    header = unpack(FrameHeader, plain[:HEADER_BYTES])
    try:
        kind = Type(header.type)
    except ValueError:
        return None
    end = HEADER_BYTES + size(BODIES[kind])
    if not end <= len(plain) <= end + TAILS.get(kind, 0):
        return None
    return Frame(kind, header.seq, unpack(BODIES[kind], plain[HEADER_BYTES:end]), plain[end:])


class Deframer:
    """Splits a byte stream at its delimiters.

    An unfinished frame is held up to ``limit`` bytes.
    """

    def __init__(self, limit: int = encoded_bound(MAX_DECODED)) -> None:
        self.limit = limit
        self._held = bytearray()
        self._overlong = False

    @property
    def unfinished(self) -> bool:
        """Whether bytes of a frame without its delimiter are held."""
        return bool(self._held) or self._overlong

    def drop(self) -> None:
        """Forget the unfinished frame."""
        self._held.clear()
        self._overlong = False

    def feed(self, data: bytes) -> list[Frame | Damaged]:
        """The frames that end in ``data``, in order. Empty frames and greetings are no frames."""
        out: list[Frame | Damaged] = []
        *ended, rest = data.split(b"\0")
        for piece in ended:
            self._hold(piece)
            if self._overlong:
                out.append(Damaged(b""))
            elif self._held and not self._held.startswith(GREETING):
                encoded = bytes(self._held)
                out.append(decode(encoded) or Damaged(encoded))
            self.drop()
        self._hold(rest)
        return out

    def _hold(self, piece: bytes) -> None:
        if self._overlong or len(self._held) + len(piece) > self.limit:
            self._overlong = True
            self._held.clear()
        else:
            self._held += piece
