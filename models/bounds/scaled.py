"""Operators that requantize integer sums: what their sums, factors and clamps are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.abi.plan import (
    WIDE_SUMS,
    Conv,
    DepthwiseConv,
    FullyConnected,
    Mean,
    Quantize,
    Record,
)
from tinyrobust.models.bounds import products
from tinyrobust.models.bounds.network import ends_of
from tinyrobust.models.bounds.products import Product
from tinyrobust.models.plan.reader import Program
from tinyrobust.models.rungs.twin.requantize import Factor, Output, once_reduced
from tinyrobust.models.rungs.twin.staircase import ONCE, TWICE, Rounding


@dataclass(frozen=True)
class Scaled:
    """``clamp(round(factor * (product(x + offset) + bias)) + zero_point)``."""

    product: Product
    offset: int
    bias: NDArray[np.int64] | None
    """int64 [channels]."""
    factor: Factor
    out: Output
    rounding: Rounding
    largest: int
    """Magnitude that ``x + offset`` can reach."""

    @property
    def slope(self) -> NDArray[np.float64]:
        """The real factor that the kernels multiply by, exactly: () or [channels]."""
        if self.rounding is TWICE:
            return self.factor.real
        reduced, by = once_reduced(self.factor)
        return np.ldexp(reduced.astype(np.float64), -by.astype(np.int32))

    @property
    def error(self) -> NDArray[np.float64]:
        """How far rounding can carry from the real value, at most: () or [channels].

        Rounded twice, a sum is first off by half a unit of the high product, which the shift to
        the right makes 2**-(shift + 1), then by half a level.
        """
        if self.rounding is TWICE:
            return rounding_error(self.factor)
        return np.full(self.factor.q31.shape, 0.5)

    @property
    def reach(self) -> NDArray[np.int64]:
        """Magnitude that the sums can reach, int64 [channels]."""
        sums: NDArray[np.int64] = self.product.gain * self.largest
        return sums if self.bias is None else sums + np.abs(self.bias)

    @property
    def can_overflow(self) -> bool:
        """Whether a sum shifted to the left, in int32, can lose its top bits."""
        if self.rounding is not TWICE:
            return False
        left = np.broadcast_to(np.maximum(self.factor.shift, 0), self.reach.shape)
        pairs = zip(self.reach.tolist(), left.tolist(), strict=True)  # integers without an end
        return any(reach << by >= 1 << 31 for reach, by in pairs)


def rounding_error(factor: Factor) -> NDArray[np.float64]:
    """Of ``multiply``: 0.5 + 2**-(right shift + 1); 0.5 where nothing is shifted to the right."""
    right = np.maximum(-factor.shift, 0)
    first = np.ldexp(0.5, -right.astype(np.int32))
    return np.where(right > 0, 0.5 + first, 0.5)


def scaled(p: Program, record: Record) -> Scaled | None:
    """``record`` in these terms; None where it is another kind of operator."""
    low, high = ends_of(record)
    match record:
        case Conv():
            return _weighted(p, record, products.conv(p, record))
        case DepthwiseConv():
            return _weighted(p, record, products.depthwise(p, record))
        case FullyConnected():
            return _weighted(p, record, products.dense(p, record))
        case Mean() | Quantize():
            product = products.mean(record) if isinstance(record, Mean) else products.identity()
            offset = -record.input_zero_point
            factor = Factor.of(record.multiplier, record.shift)
            out = Output(record.output_zero_point, low, high)
            largest = _largest(record, offset)
            return Scaled(product, offset, None, factor, out, TWICE, largest)
        case _:
            return None


def _weighted(p: Program, op: Conv | DepthwiseConv | FullyConnected, product: Product) -> Scaled:
    wide = op.head.kind in WIDE_SUMS
    bias = p.constant(op.bias, np.int64 if wide else np.int32, op.out_c).astype(np.int64)
    if isinstance(op, FullyConnected):
        factor = Factor.of(op.multiplier, op.shift)
    else:
        both = (p.constant(at, np.int32, op.out_c) for at in (op.multiplier, op.shift))
        factor = Factor.of(*both)
    out = Output(op.output_offset, op.act_min, op.act_max)
    largest = _largest(op, op.input_offset)
    return Scaled(product, op.input_offset, bias, factor, out, ONCE if wide else TWICE, largest)


def _largest(record: Record, offset: int) -> int:
    low, high = ends_of(record)
    return max(high + offset, -low - offset)
