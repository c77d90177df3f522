"""A plan's binary taken apart again, for whatever executes it on the host."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.abi import layout
from tinyrobust.core.abi.plan import MAX_OPS, RECORDS, Head, Kind, PlanHeader, Record
from tinyrobust.models.plan.flow import check_flow


@dataclass(frozen=True)
class Program:
    """What ``compile_plan`` wrote, read back.

    It has the header, the operators in order, and the whole binary for its constants.
    """

    header: PlanHeader
    records: tuple[Record, ...]
    data: bytes

    def constant(self, at: int, dtype: type[np.integer[Any]], *shape: int) -> NDArray[Any]:
        """The constant at byte ``at`` of the plan, in ``shape``.

        Raises ValueError where it would pass the end.
        """
        little = np.dtype(dtype).newbyteorder("<")
        return np.frombuffer(self.data, little, math.prod(shape), at).reshape(shape).astype(dtype)


def read_plan(data: bytes) -> Program:
    """Takes a plan of ``compile_plan`` apart.

    Raises ValueError on bytes that are none: sizes, unknown kinds, more than ``MAX_OPS`` records,
    tensors that are read before they are written (``models/plan/flow.py``).
    """
    start, end = layout.size(PlanHeader), layout.size(Head)
    header = layout.unpack(PlanHeader, data[:start])
    if not 0 < header.n_ops <= MAX_OPS:
        raise ValueError(f"it has {header.n_ops} operators, 1 to {MAX_OPS} are supported")
    records: list[Record] = []
    for _ in range(header.n_ops):
        head = layout.unpack(Head, data[start : start + end])
        records.append(layout.unpack(RECORDS[Kind(head.kind)], data[start : start + head.bytes]))
        start += head.bytes
    check_flow(header, records)
    return Program(header, tuple(records), data)
