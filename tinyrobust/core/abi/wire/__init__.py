"""THE protocol between host and board: ``codes``, ``messages``, and the ``protocol`` they make.

A frame on the wire is ``COBS(FrameHeader | body | CRC-32) 0x00``. COBS is Cheshire & Baker 1999;
the CRC is the IEEE 802.3 one (``zlib.crc32``) over header and body, little-endian. A body is a
fixed layout, then, for the messages named in ``TAILS``, a tail of bytes that ends where the frame
does. ``firmware/include/wire.gen.h`` is generated from these modules.
"""

from __future__ import annotations

from tinyrobust.core.abi.wire.codes import Error, TickUnit, Type
from tinyrobust.core.abi.wire.messages import (
    ErrorReply,
    FrameHeader,
    Hello,
    Infer,
    Info,
    Layer,
    LayerData,
    Load,
    Loaded,
    OperatorTicks,
    Profile,
    Profiled,
    Reset,
    Result,
    Tensor,
)
from tinyrobust.core.abi.wire.protocol import (
    BODIES,
    FIRST_BAUD,
    LOAD_CHUNK,
    MAX_PROFILED,
    MAX_TENSOR,
    MAX_TEXT,
    PROTOCOL,
    TAILS,
)

__all__ = [
    "BODIES",
    "FIRST_BAUD",
    "LOAD_CHUNK",
    "MAX_PROFILED",
    "MAX_TENSOR",
    "MAX_TEXT",
    "PROTOCOL",
    "TAILS",
    "Error",
    "ErrorReply",
    "FrameHeader",
    "Hello",
    "Infer",
    "Info",
    "Layer",
    "LayerData",
    "Load",
    "Loaded",
    "OperatorTicks",
    "Profile",
    "Profiled",
    "Reset",
    "Result",
    "Tensor",
    "TickUnit",
    "Type",
]
