"""What every message holds: fixed little-endian layouts, the bodies of frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tinyrobust.core.abi.layout import F32, I32, U8, U16, U32, U64, Dims, Raw

Bytes12 = Annotated[bytes, Raw(12)]
Bytes20 = Annotated[bytes, Raw(20)]
Bytes32 = Annotated[bytes, Raw(32)]
Text24 = Annotated[str, Raw(24, text=True)]
Text28 = Annotated[str, Raw(28, text=True)]
Text32 = Annotated[str, Raw(32, text=True)]


@dataclass(frozen=True)
class FrameHeader:
    """Starts every frame. ``seq`` is echoed by the answer."""

    type: U8
    flags: U8
    seq: U16


@dataclass(frozen=True)
class Hello:
    """Asks who is there.

    The answer is INFO, after which the line runs at the ``baud`` that INFO states.
    """

    protocol: U32
    baud: U32 = 0
    """Bits per second that the host asks for; 0 leaves them as they are."""


@dataclass(frozen=True)
class Tensor:
    """An edge tensor: shape, TFLite type, scale and zero point.

    ``dims`` are those of one sample, right-aligned to NHWC, leading 1s.
    """

    dims: Dims
    dtype: U32
    scale: F32
    zero_point: I32


@dataclass(frozen=True)
class Info:
    """The board says what it is; the host never assumes. Sizes in bytes."""

    protocol: U32
    """``PROTOCOL`` of the firmware's build."""
    plan_crc: U32
    """CRC field of the loaded plan, 0 when there is none."""
    plan_ready: U32
    cpuid: U32
    """SCB->CPUID (Armv7-M ARM B3.2.3), 0 on the host."""
    clock_hz: U32
    tick_unit: U32
    pool_bytes: U32
    """RAM for uploaded plan, arena, scratch and the receive buffer together."""
    plan_bytes: U32
    plan_in_ram: U32
    arena_bytes: U32
    scratch_bytes: U32
    pool_free: U32
    max_frame: U32
    """Longest decoded frame (header, body and CRC) the board takes now."""
    rx_ring: U32
    """Bytes that the port buffers while the engine runs."""
    window: U32
    """INFER requests the board can hold unanswered."""
    n_ops: U32
    baud: U32
    """Bits per second of the line once this INFO has been sent; 0 where it has no rate."""
    max_baud: U32
    """Highest rate that HELLO may ask for."""
    stack_bytes: U32
    """Stack of the firmware, 0 on the host."""
    stack_used: U32
    """The most of it that was in use at any time since reset."""
    input: Tensor
    output: Tensor
    uid: Bytes12
    build_id: Bytes20
    """GNU build id of the running image (``ld --build-id=sha1``), all zero on the host."""
    plan_id: Bytes32
    """SHA-256 of the plan, as its header states it; all zero without a plan."""
    firmware: Text24
    engine: Text32
    board: Text24


@dataclass(frozen=True)
class Load:
    """One chunk of a plan (the tail) at ``offset``.

    Offset 0 starts over. The answer is LOADED or ERROR.
    """

    total: U32
    offset: U32


@dataclass(frozen=True)
class Loaded:
    """``next_offset`` expected; ``ready`` 1 once the whole plan has been checked and can run."""

    next_offset: U32
    ready: U32


@dataclass(frozen=True)
class Infer:
    """Classify the tail, one sample in the input tensor's type.

    ``plan_crc`` must be the loaded plan's.
    """

    plan_crc: U32


@dataclass(frozen=True)
class Result:
    """``input_crc`` is the CRC-32 of the INFER tail it answers; the tail is the output tensor."""

    ticks: U64
    input_crc: U32
    plan_crc: U32


@dataclass(frozen=True)
class Layer:
    """Run the tail (one sample) through operator record ``op`` and send its output.

    Records are counted from 0.
    """

    plan_crc: U32
    op: U32


@dataclass(frozen=True)
class LayerData:
    """The tail is the output tensor of operator record ``op``."""

    input_crc: U32
    op: U32


@dataclass(frozen=True)
class Profile:
    """Run the tail (one sample) and say what each operator took.

    ``plan_crc`` must be the loaded plan's.
    """

    plan_crc: U32


@dataclass(frozen=True)
class Profiled:
    """What each operator took: the tail is an ``OperatorTicks`` for each of ``n_ops``.

    They stand in the order in which they ran.
    """

    ticks: U64
    """Of the whole inference, with the reading of the counter before and after each operator."""
    input_crc: U32
    n_ops: U32


@dataclass(frozen=True)
class OperatorTicks:
    """What one operator took; ``name`` is the engine's."""

    ticks: U32
    """Saturated: 0xFFFFFFFF is that or more."""
    name: Text28


@dataclass(frozen=True)
class Reset:
    """Forget an uploaded plan; a plan linked into flash comes back. The answer is INFO."""

    reserved: U32


@dataclass(frozen=True)
class ErrorReply:
    """Why a request was refused; the tail is UTF-8.

    ``code`` is an ``Error``; ``detail`` depends on it (record index, expected length ...).
    """

    code: U32
    detail: U32
