"""Samples to a board and answers back without a pause, through whatever befalls it on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from tinyrobust.core.errors import LinkError
from tinyrobust.core.types import IntArray
from tinyrobust.host.devices.believed import spec

if TYPE_CHECKING:
    from tinyrobust.host.devices.device import Device


@dataclass(frozen=True)
class Answered:
    """What a board said of one sample: ``raw`` [outputs] in the type of its output tensor."""

    raw: IntArray
    ticks: int
    retries: int


def streamed(
    device: Device, questions: Iterator[IntArray | None]
) -> Iterator[tuple[int, Answered]]:
    """Answers, as they come, each with the number of its sample among ``questions``.

    ``questions`` are as in ``tinyrobust.host.devices.target.Streaming``. What was under way when
    the board failed is asked again when it is back.
    """
    open_: dict[int, IntArray] = {}
    numbers = count()
    failures = 0
    while True:
        order = list(open_)

        def rows(again: tuple[IntArray, ...], order: list[int]) -> Iterator[IntArray | None]:
            yield from again
            for q in questions:
                if q is not None:
                    order.append(next(numbers))
                    open_[order[-1]] = q
                yield q

        try:
            if failures:
                device.reload()
            dtype = np.dtype(spec(device.info.output).dtype)
            for place, tail, ticks, retries in device.stream(rows(tuple(open_.values()), order)):
                del open_[order[place]]
                failures = 0
                raw = np.frombuffer(tail, dtype.newbyteorder("<")).astype(dtype)
                yield order[place], Answered(raw, ticks, retries)
            return
        except LinkError as err:
            failures += 1
            device.survive(err, failures)
