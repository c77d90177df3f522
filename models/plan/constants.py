"""The constants of a plan: weights, biases, per-channel factors and tables, after its records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from tinyrobust.core.abi.plan import (
    CONSTANT_ALIGN,
    Conv,
    DepthwiseConv,
    FullyConnected,
    Record,
    SoftmaxTable,
)

_PER_CHANNEL = ("weights", "bias", "multiplier", "shift")
_ADDRESSES: dict[type, tuple[str, ...]] = {
    Conv: _PER_CHANNEL,
    DepthwiseConv: _PER_CHANNEL,
    FullyConnected: ("weights", "bias"),
    SoftmaxTable: ("exponential", "reciprocal"),
}
"""The fields of each record that are addresses of constants."""


class Constants:
    """Constants back to back, aligned. Addresses are bytes from the first of them."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._shared: dict[bytes, int] = {}

    def add(self, values: NDArray[Any]) -> int:
        """Appends ``values``, little-endian; returns their address."""
        self.data += bytes(-len(self.data) % CONSTANT_ALIGN)
        at = len(self.data)
        self.data += values.astype(values.dtype.newbyteorder("<")).tobytes()
        return at

    def share(self, values: NDArray[Any]) -> int:
        """Appends ``values`` unless the same bytes were shared before; returns their address."""
        key = values.tobytes()
        if key not in self._shared:
            self._shared[key] = self.add(values)
        return self._shared[key]


def moved(record: Record, base: int) -> Record:
    """``record`` with its constants counted from the plan's start, ``base`` bytes before the first.

    Where the constants begin is known once all records are made.
    """
    fields = _ADDRESSES.get(type(record), ())
    return replace(record, **{name: getattr(record, name) + base for name in fields})
