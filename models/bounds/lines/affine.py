"""Each operator as ``clamp(round(z))`` with a real ``z`` that is affine in its inputs, in float64.

What linear bounds need of it: the coefficients forward and backward, how far rounding goes, and
how large numbers get, for the bound on float64's own errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.abi.plan import Add, Kind, Pad, Pool, Record
from tinyrobust.models.bounds import products
from tinyrobust.models.bounds.network import Network, ends_of
from tinyrobust.models.bounds.products import Product
from tinyrobust.models.bounds.scaled import Scaled, rounding_error, scaled
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.twin.requantize import Factor, Tensor

Float64Array = NDArray[np.float64]
_ROUNDOFF = 2.0**-53
MAX_POOLS = (Kind.MAX_POOL_2D_S8, Kind.MAX_POOL_2D_S16)


@dataclass(frozen=True)
class Affine:
    """``z = sum(slope[i] * product[i](x[i])) + constant``; ``y = clamp(z + e)``, |e| <= ``error``.

    All arrays float64 [size] of the output's elements.
    """

    products: tuple[Product, ...]
    slopes: tuple[Float64Array, ...]
    sizes: tuple[int, ...]
    """Elements of each input."""
    constant: Float64Array
    error: Float64Array
    low: float
    high: float
    """The clamp."""
    magnitude: Float64Array
    """Bound of the sum of magnitudes of all terms that make ``z`` and the lines around ``y``."""
    queried: bool
    """Whether a bound through earlier layers tells more of it than the ends of its inputs do."""

    @property
    def roundoff(self) -> float:
        """gamma_n = n u / (1 - n u) of a sum of n terms in any order (Higham 2002, section 3.1)."""
        n = len(self.constant) + max(self.sizes) + 32
        return n * _ROUNDOFF / (1 - n * _ROUNDOFF)

    def ends(self, boxes: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        """The least and the largest ``z`` over boxes of the inputs, rounded outwards.

        Both are float64 [n, size].
        """
        low = high = tf.constant(self.constant)
        for product, slope, (least, most) in zip(self.products, self.slopes, boxes, strict=True):
            n = tf.shape(least)[0]
            low += tf.reshape(product.split(least, most), (n, -1)) * slope
            high += tf.reshape(product.split(most, least), (n, -1)) * slope
        slack = 2 * self.roundoff * self.magnitude
        return low - slack, high + slack

    def backward(self, c: Tensor) -> list[Tensor]:
        """[n, size] coefficients of ``z`` -> those of each input."""
        pairs = zip(self.products, self.slopes, self.sizes, strict=True)
        return [product.transposed(c * slope, size) for product, slope, size in pairs]


def affine_of(network: Network, index: int) -> Affine | None:
    """The node ``index`` in these terms; None for what is not affine.

    That is MAX_POOL_2D, and sums that a shift to the left may carry past int32.
    """
    node = network.nodes[index]
    sizes = tuple(network.size(at) for at in node.inputs)
    record = node.record
    op = scaled(network.program, record)
    if op is not None and op.can_overflow:
        return None
    if op is not None:
        return _of_scaled(op, record, node.size, sizes)
    match record:
        case Add():
            return _of_add(record, node.size, sizes)
        case Pad():
            return _of_pad(record, node.size, sizes)
        case Pool() if record.head.kind not in MAX_POOLS:
            return _of_average(record, node.size, sizes)
        case _:
            return None


def _of_scaled(op: Scaled, record: Record, size: int, sizes: tuple[int, ...]) -> Affine:
    def every(values: NDArray[np.float64]) -> Float64Array:
        """One value, or one a channel, for each element: channels come last."""
        return np.resize(values, size).astype(np.float64)

    # The offset reaches what is no padding: its share of the sums is the product of a constant.
    offset = np.full((1, sizes[0]), op.offset, np.float64)
    shares = op.product.apply(tf.constant(offset), op.product.kernel).numpy().reshape(-1)
    bias = np.zeros(size) if op.bias is None else every(op.bias.astype(np.float64))
    slope = every(op.slope)
    constant = slope * (shares + bias) + op.out.zero_point
    type_end = max(map(abs, ends_of(record)))
    gain = every(op.product.gain.astype(np.float64))
    magnitude = slope * (2 * type_end * gain + abs(bias)) + _lines(op.out.zero_point, type_end)
    return Affine(
        (op.product,),
        (slope,),
        sizes,
        constant,
        every(op.error),
        op.out.low,
        op.out.high,
        magnitude,
        queried=op.bias is not None,
    )


def _of_add(op: Add, size: int, sizes: tuple[int, ...]) -> Affine:
    first = Factor.of(op.input1_multiplier, op.input1_shift)
    second = Factor.of(op.input2_multiplier, op.input2_shift)
    last = Factor.of(op.output_multiplier, op.output_shift)
    unit, scale = float(1 << op.left_shift), float(last.real)
    slope1, slope2 = (unit * float(f.real) * scale for f in (first, second))
    constant = slope1 * op.input1_offset + slope2 * op.input2_offset + op.output_offset
    # Both inputs are rounded at the finer scale that they are added at, their sum once more.
    error = scale * float(rounding_error(first) + rounding_error(second))
    error += float(rounding_error(last))
    # Those few products and sums are rounded in float64, too.
    error *= 1 + 64 * _ROUNDOFF
    type_end = max(map(abs, ends_of(op)))
    magnitude = (slope1 + slope2) * 2 * type_end + _lines(op.output_offset, type_end)
    one = np.ones(size)
    return Affine(
        (products.identity(), products.identity()),
        (slope1 * one, slope2 * one),
        sizes,
        constant * one,
        error * one,
        op.act_min,
        op.act_max,
        magnitude * one,
        queried=True,
    )


def _of_average(op: Pool, size: int, sizes: tuple[int, ...]) -> Affine:
    count = np.repeat(products.covered(op).reshape(-1), op.channels).astype(np.float64)
    type_end = max(map(abs, ends_of(op)))
    magnitude = np.full(size, type_end + _lines(0, type_end))
    return Affine(
        (products.average(op),),
        (1 / count,),
        sizes,
        np.zeros(size),
        np.full(size, 0.5),
        op.act_min,
        op.act_max,
        magnitude,
        queried=False,
    )


def _of_pad(op: Pad, size: int, sizes: tuple[int, ...]) -> Affine:
    product = products.pad(op)
    there = product.apply(tf.ones((1, sizes[0]), tf.float64), product.kernel).numpy().reshape(-1)
    low, high = ends_of(op)
    one = np.ones(size)
    return Affine(
        (product,),
        (one,),
        sizes,
        op.value * (1 - there),
        0 * one,
        low,
        high,
        high + _lines(op.value, high) * one,
        queried=False,
    )


def _lines(zero_point: int, type_end: int) -> float:
    """Magnitude of what is added to the sums: the zero point and both ends of a line (below)."""
    return abs(zero_point) + 8.0 * type_end + 8.0
