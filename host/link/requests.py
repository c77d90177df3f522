"""Requests to a board, which message answers each of them, and what can go wrong with one."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

from tinyrobust.core.abi.wire import (
    Error,
    ErrorReply,
    Infer,
    Layer,
    LayerData,
    Profile,
    Profiled,
    Result,
    Type,
)
from tinyrobust.core.errors import LinkError
from tinyrobust.host.link.frame import TYPES, Frame

ANSWERS = {
    Type.HELLO: Type.INFO,
    Type.RESET: Type.INFO,
    Type.LOAD: Type.LOADED,
    Type.INFER: Type.RESULT,
    Type.LAYER: Type.LAYER_DATA,
    Type.PROFILE: Type.PROFILED,
}


class RefusedError(LinkError):
    """The board received the request intact and said no."""

    def __init__(self, request: Type, reply: ErrorReply, text: str) -> None:
        try:
            name = Error(reply.code).name
        except ValueError:
            name = f"error {reply.code}"
        super().__init__(
            f"the board refused {request.name}: {name} "
            f"({reply.detail}){': ' + text if text else ''}"
        )
        self.code, self.detail = reply.code, reply.detail


class LostError(LinkError):
    """A request was not answered within the tries it was given."""


class SilentError(LinkError):
    """Not one intact frame came for as long as the link waits for one."""


@dataclass(frozen=True)
class Request:
    """One message to the board."""

    body: Any
    tail: bytes = b""

    @property
    def type(self) -> Type:
        """The type code of this message."""
        return TYPES[type(self.body)]


@dataclass(frozen=True)
class Answer:
    """The answer to request number ``index`` of an exchange, after ``retries`` repetitions."""

    index: int
    body: Any
    tail: bytes
    retries: int


@dataclass
class Counters:
    """What went over the wire.

    ``damaged`` are received frames that were no messages; bytes include framing.
    """

    frames_sent: int = 0
    frames_received: int = 0
    retries: int = 0
    damaged: int = 0
    naks: int = 0
    stale: int = 0
    timeouts: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0


def answers(request: Request, frame: Frame) -> bool:
    """Whether ``frame`` answers ``request``.

    It must be of the right type, and made from the very bytes that were sent.
    """
    if frame.type is not ANSWERS[request.type]:
        return False
    ask, body = request.body, frame.body
    if isinstance(ask, Infer) and isinstance(body, Result):
        return body.input_crc == zlib.crc32(request.tail) and body.plan_crc == ask.plan_crc
    if isinstance(ask, Layer) and isinstance(body, LayerData):
        return body.input_crc == zlib.crc32(request.tail) and body.op == ask.op
    if isinstance(ask, Profile) and isinstance(body, Profiled):
        return body.input_crc == zlib.crc32(request.tail)
    return True
