"""What of a board's answers is believed: every field within bounds before it is used.

Pure.

A board is untrusted: other firmware, a damaged one, or none at all may speak from its port. What it
states sizes arrays, ends in Parquet columns, divides, and is shown. Texts of its messages are
printable already (tinyrobust/core/abi/layout.py).
"""

from __future__ import annotations

import math

from tinyrobust.core.abi.layout import size, unpack
from tinyrobust.core.abi.wire import (
    FIRST_BAUD,
    MAX_PROFILED,
    MAX_TENSOR,
    Info,
    OperatorTicks,
    Profiled,
    Tensor,
    TickUnit,
)
from tinyrobust.core.errors import LinkError
from tinyrobust.core.types import TensorSpec

DTYPES = {9: "int8", 7: "int16"}
"""Edge tensors' types by TFLite's number."""
BOUNDS = {"int8": (-128, 127), "int16": (-32768, 32767)}
MAX_WINDOW = 1024
MAX_TICKS = 2**63 - 1
"""Ticks are kept as int64."""
MAX_BAUD = 100_000_000
MAX_SCALE = 1e30
LEAST_SCALE = 1e-30
"""Beyond these two a float32 logit is infinite, or zero."""
CLOCKED = (TickUnit.CPU_CYCLES, TickUnit.SYSTICK)
"""What is divided by ``clock_hz``."""
_FLAGS = ("plan_ready", "plan_in_ram")


def believed(info: Info, before: Info | None = None) -> Info:
    """``info``, where it can be true, and is said by the board that said ``before``.

    Raises LinkError.

    Of edge tensors nothing is asked here: a board without a network has none to state (see
    ``spec``).
    """
    try:
        unit = TickUnit(info.tick_unit)
    except ValueError:
        raise _impossible(info, f"tick unit {info.tick_unit}") from None
    if not 0 < info.window <= MAX_WINDOW:
        raise _impossible(info, f"window {info.window}, 1 to {MAX_WINDOW} are")
    if unit in CLOCKED and not info.clock_hz:
        raise _impossible(info, f"{unit.name} at a clock of 0 Hz")
    for name in _FLAGS:
        if getattr(info, name) not in (0, 1):
            raise _impossible(info, f"{name} {getattr(info, name)}, 0 or 1 are")
    for name in ("baud", "max_baud"):
        rate = getattr(info, name)
        if rate and not FIRST_BAUD <= rate <= MAX_BAUD:
            raise _impossible(info, f"{name} {rate}, {FIRST_BAUD} to {MAX_BAUD} are")
    if before is not None and _who(info) != _who(before):
        was, now = next(
            pair for pair in zip(_who(before), _who(info), strict=True) if pair[0] != pair[1]
        )
        raise LinkError(
            f"{info.board or 'the board'} has become another one ({was} was {now}): start again"
        )
    return info


def _who(info: Info) -> tuple[str, ...]:
    """What stays as it is as long as one image runs on one board."""
    return (
        info.board,
        info.firmware,
        info.engine,
        f"uid {info.uid.hex()}",
        f"build id {info.build_id.hex()}",
        f"cpuid {info.cpuid:08x}",
        f"clock {info.clock_hz} Hz",
        f"tick unit {info.tick_unit}",
    )


def _impossible(info: Info, what: str) -> LinkError:
    return LinkError(
        f"{info.board or 'the board'}: impossible INFO: {what}: is the right firmware running?"
    )


def spec(tensor: Tensor) -> TensorSpec:
    """The board's statement of an edge tensor as a TensorSpec, shape without leading 1s.

    Raises LinkError on other types, on one that no frame carries (``MAX_TENSOR`` bytes), and on a
    scale or a zero point that no TFLite tensor has.
    """
    if tensor.dtype not in DTYPES:
        raise LinkError(
            f"the board's tensor has TFLite type {tensor.dtype}, "
            "this bench feeds int8 (9) and int16 (7)"
        )
    dtype = DTYPES[tensor.dtype]
    low, high = BOUNDS[dtype]
    shape = "x".join(map(str, tensor.dims))
    if not 0 < math.prod(tensor.dims) <= MAX_TENSOR // (2 if dtype == "int16" else 1):
        raise LinkError(
            f"the board states a tensor of {shape} {dtype}: a frame carries 1 to {MAX_TENSOR} bytes"
        )
    if not LEAST_SCALE <= tensor.scale <= MAX_SCALE:  # false for NaN, too
        raise LinkError(
            f"the board states a tensor ({shape}) of scale {tensor.scale:g}: no such quantization"
        )
    if not low <= tensor.zero_point <= high:
        raise LinkError(
            f"the board states a tensor ({shape}) of zero point {tensor.zero_point}, "
            f"{dtype} has none such"
        )
    dims = list(tensor.dims)
    while len(dims) > 1 and dims[0] == 1:
        dims.pop(0)
    return TensorSpec(tuple(dims), tensor.scale, tensor.zero_point, dtype)


def ticks(count: int) -> int:
    """A count of RESULT. Raises LinkError where int64 does not hold it."""
    if count > MAX_TICKS:
        raise LinkError(
            f"the board counted {count} ticks for one inference, {MAX_TICKS} are possible"
        )
    return count


def profiled(n_ops: int) -> int:
    """The operators of PROFILED. Raises LinkError on more than a board may time."""
    if n_ops > MAX_PROFILED:
        raise LinkError(f"the board timed {n_ops} operators, {MAX_PROFILED} at most can be")
    return n_ops


def timed(body: Profiled, tail: bytes) -> list[OperatorTicks]:
    """What each operator took, out of a PROFILED.

    Raises LinkError where its tail is not as long as its body says, or says too much.
    """
    step = size(OperatorTicks)
    if len(tail) != profiled(body.n_ops) * step:
        raise LinkError(f"the board timed {body.n_ops} operators and sent {len(tail)} bytes")
    return [unpack(OperatorTicks, tail[at : at + step]) for at in range(0, len(tail), step)]
