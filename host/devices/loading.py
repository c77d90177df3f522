"""A network onto a board that answers: its plan in chunks, and whether its edges fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyrobust.core.abi.wire import LOAD_CHUNK, Error, Info, Load
from tinyrobust.core.errors import LinkError
from tinyrobust.core.types import TensorSpec
from tinyrobust.host.devices.believed import spec
from tinyrobust.host.devices.target import Network
from tinyrobust.host.link.exchange import Link
from tinyrobust.host.link.frame import MAX_DECODED, decoded_size
from tinyrobust.host.link.requests import LostError, RefusedError

LEAST_CHUNK = 16
CHUNK_TRIES = 3
"""Losses of one LOAD chunk before the next try is half as long."""
ATTEMPTS = 3


def hold(link: Link, hello: Callable[[], Info], network: Network) -> Info:
    """Uploads the plan of ``network`` unless the board holds it, and returns what it says then.

    Raises RefusedError where the board rejects the plan, LinkError where it is too large for the
    board's RAM or the board holds another one in the end.
    """
    info = hello()
    for _ in range(ATTEMPTS):
        if info.plan_ready and info.plan_id.hex() == network.plan_id:
            return info
        try:
            _upload(link, network.plan, info)
        except RefusedError as err:
            if err.code != Error.PLAN_TOO_LARGE or err.detail <= info.pool_bytes:
                raise
            raise LinkError(_too_large(err.detail, info)) from None
        info = hello()
    raise LinkError(
        f"the board holds plan {info.plan_id.hex()[:12]} after loading {network.plan_id[:12]}"
    )


def _too_large(needed: int, info: Info) -> str:
    return (
        f"the network takes {needed} bytes of RAM (plan, arena, scratch and receive buffer), "
        f"{needed - info.pool_bytes} more than the {info.pool_bytes} that {info.board} has for "
        f"it: tinyrobust flash --board {info.board} --model M.tflite links its plan into flash"
    )


def _upload(link: Link, plan: bytes, info: Info) -> None:
    """Sends the plan in chunks, shorter ones where long ones keep being lost."""
    room = min(info.max_frame, MAX_DECODED) - decoded_size(Load(0, 0))
    chunk = longest = max(LEAST_CHUNK, min(LOAD_CHUNK, room))
    offset = 0
    while offset < len(plan):
        tail = plan[offset : offset + chunk]
        tries = CHUNK_TRIES if chunk > LEAST_CHUNK else None
        try:
            answer = link.request(Load(len(plan), offset), tail, tries)
        except LostError:
            chunk = longest = max(LEAST_CHUNK, chunk // 2)
            continue
        except RefusedError as err:
            # A chunk had arrived and its LOADED was lost: the board says what it expects next.
            # Back at 0, it has either finished or forgotten; INFO will tell.
            if err.code != Error.WRONG_OFFSET or not (
                err.detail == 0 or offset < err.detail <= len(plan)
            ):
                raise
            if err.detail == 0:
                return
            offset = err.detail
            continue
        if answer.body.next_offset != offset + len(tail):
            raise LinkError(
                f"the board expects plan byte {answer.body.next_offset}, not {offset + len(tail)}"
            )
        offset = answer.body.next_offset
        if answer.retries == 0:
            chunk = min(chunk * 2, longest)


def edges(info: Info, input: TensorSpec | None, output: TensorSpec | None) -> TensorSpec:
    """The board's input tensor.

    Raises LinkError where it does not take the input grid ``input``, or where the board's output
    tensor is not ``output``. An int16 tensor has a scale of its own: only its size is compared.
    """
    theirs = spec(info.input)
    if input is not None:
        same = theirs.zero_point == input.zero_point and np.isclose(
            theirs.scale, input.scale, rtol=1e-6
        )
        if theirs.size != input.size or (theirs.dtype == "int8" and not same):
            raise LinkError(f"the board's input is {theirs}, the model's {input}")
    answered = spec(info.output)
    if output is not None and not _alike(answered, output):
        raise LinkError(f"the board's output is {answered}, the model's {output}")
    return theirs


def _alike(one: TensorSpec, other: TensorSpec) -> bool:
    """Whether both are one tensor, whatever dimensions of 1 are left out."""
    same = (one.dtype, one.size, one.zero_point) == (other.dtype, other.size, other.zero_point)
    return same and bool(np.isclose(one.scale, other.scale, rtol=1e-6))
