"""Which body and tail every message has, their bounds, and the hash that both sides compare."""

from __future__ import annotations

from tinyrobust.core.abi.layout import describe, fingerprint, size
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
)

BODIES: dict[Type, type] = {
    Type.HELLO: Hello,
    Type.LOAD: Load,
    Type.INFER: Infer,
    Type.LAYER: Layer,
    Type.RESET: Reset,
    Type.PROFILE: Profile,
    Type.INFO: Info,
    Type.LOADED: Loaded,
    Type.RESULT: Result,
    Type.LAYER_DATA: LayerData,
    Type.PROFILED: Profiled,
    Type.ERROR: ErrorReply,
}

FIRST_BAUD = 115200
"""Rate at which every line with a rate starts, and to which it falls back."""
LOAD_CHUNK = 4096
"""Longest LOAD tail in bytes."""
MAX_TENSOR = 1 << 20
"""Longest INFER, RESULT, LAYER, LAYER_DATA or PROFILE tail in bytes."""
MAX_PROFILED = 128
"""Operators that one PROFILE times at most."""
MAX_TEXT = 120
"""Longest ERROR text in bytes."""

TAILS: dict[Type, int] = {
    Type.LOAD: LOAD_CHUNK,
    Type.INFER: MAX_TENSOR,
    Type.LAYER: MAX_TENSOR,
    Type.PROFILE: MAX_TENSOR,
    Type.RESULT: MAX_TENSOR,
    Type.LAYER_DATA: MAX_TENSOR,
    Type.PROFILED: MAX_PROFILED * size(OperatorTicks),
    Type.ERROR: MAX_TEXT,
}
"""Messages that carry a tail, and its bound in bytes. All others end with their fixed body."""

PROTOCOL = fingerprint(
    describe(FrameHeader),
    *(f"{t.value}={describe(b)}+{TAILS.get(t, 0)}" for t, b in BODIES.items()),
    describe(OperatorTicks),
    *(f"{e.name}={e.value}" for e in Error),
    *(f"{u.name}={u.value}" for u in TickUnit),
)
"""Hash of everything above. Firmware of another protocol is refused."""
