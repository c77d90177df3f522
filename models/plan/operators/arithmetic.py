"""The arithmetic of an operator with weights: its constants, and that no sum can overflow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.abi.plan import MAX_COLUMN, MAX_SHIFT_S16, WIDE_SUMS, Kind
from tinyrobust.models.plan import fixed_point
from tinyrobust.models.plan.operators.checks import (
    INT8,
    INT32,
    INT64,
    Checked,
    check_scales,
    fail,
    scale,
    zero_point,
)
from tinyrobust.models.tflite.reader import Tensor, type_name
from tinyrobust.models.tflite.schema import TENSOR_TYPE

PER_TENSOR = (Kind.FULLY_CONNECTED_S8, Kind.FULLY_CONNECTED_S16)
"""Operators with one factor for all outputs; it stands in the record itself."""
_WIDE_SUM = 1 << 47
"""TFLite's rounding from int64 is defined below this."""
_FAST_COLUMNS = 512
"""FULLY_CONNECTED on int16: CMSIS-NN adds the products of so many columns in int32 before it goes
on in int64.
"""


@dataclass(frozen=True)
class Arithmetic:
    """Offsets, clamp and requantization, in the words of the plan's records.

    ``weights`` and ``bias`` are addresses of constants; so are ``multiplier`` and ``shift``, or of
    an operator of ``PER_TENSOR`` the numbers themselves.
    """

    input_offset: int
    output_offset: int
    act_min: int
    act_max: int
    weights: int
    bias: int
    multiplier: int
    shift: int


def arithmetic(o: Checked, x: Tensor, w: Tensor, axis: int, kind: int) -> Arithmetic:
    """The arithmetic of weights ``w`` on input ``x``; ``axis`` is that of the outputs.

    Weights, bias and requantization are appended to the constants. Raises ValueError where sums
    could leave their type.
    """
    weights = _weights(w, axis)
    channels = weights.shape[axis]
    bias = _bias(o, channels, kind in WIDE_SUMS)
    rows = np.moveaxis(weights, axis, 0).reshape(channels, -1)
    if rows.shape[1] > MAX_COLUMN and kind not in PER_TENSOR:
        fail(
            f"its kernel has {rows.shape[1]} weights per output, at most {MAX_COLUMN} are supported"
        )
    scales = np.broadcast_to(w.scales.astype(np.float64), channels)
    each = [fixed_point.conv_multiplier(scale(x), float(s), scale(o.out)) for s in scales]
    _check_accumulator(x, rows, bias, each)
    act_min, act_max = o.act_range(o.options.FusedActivationFunction())
    add = o.constants.add
    at_weights, at_bias = add(weights), add(bias)
    if kind in PER_TENSOR:
        multiplier, shift = each[0].q31, each[0].shift
    else:
        multiplier = add(np.array([m.q31 for m in each], np.int32))
        shift = add(np.array([m.shift for m in each], np.int32))
    return Arithmetic(
        input_offset=-zero_point(x),
        output_offset=zero_point(o.out),
        act_min=act_min,
        act_max=act_max,
        weights=at_weights,
        bias=at_bias,
        multiplier=multiplier,
        shift=shift,
    )


def _weights(t: Tensor, axis: int) -> NDArray[np.int8]:
    if t.tflite_type != INT8:
        fail(f"its weights are {type_name(t)}, INT8 is supported")
    if t.zero_points.any():
        fail("its weights have a zero point other than 0")
    channels = t.shape[axis]
    if (
        t.size == 0
        or t.scales.size not in (1, channels)
        or t.zero_points.size not in (0, t.scales.size)
    ):
        fail(
            f"its weights {list(t.shape)} have {t.scales.size} scales and {t.zero_points.size} "
            "zero points"
        )
    if t.scales.size > 1 and t.quantized_dimension != axis:
        fail(
            f"its weights are quantized along dimension {t.quantized_dimension}, {axis} is "
            "supported"
        )
    check_scales(t)
    return t.constant(np.int8)


def _bias(o: Checked, channels: int, wide: bool) -> NDArray[np.integer[Any]]:
    dtype: type[np.integer[Any]] = np.int64 if wide else np.int32
    if not o.has(2):
        return np.zeros(channels, dtype)
    t, expected = o.tensor(2), INT64 if wide else INT32
    if t.tflite_type != expected or t.size != channels:
        fail(
            f"its bias is {type_name(t)}{list(t.shape)}, {TENSOR_TYPE[expected]}[{channels}] is "
            "supported"
        )
    return t.constant(dtype).reshape(-1)


def _check_accumulator(
    x: Tensor,
    weights: NDArray[np.int8],
    bias: NDArray[Any],
    scaling: Sequence[fixed_point.Multiplier],
) -> None:
    """``weights`` [channels, n].

    Overflow of the kernels' sums is undefined: refuse what could reach it.
    """
    size = np.abs(weights.astype(np.int64))
    if bias.dtype == np.int32:
        reach = 32768 if x.tflite_type != INT8 else max(127 - zero_point(x), zero_point(x) + 128)
        worst = size.sum(axis=1) * reach + np.abs(bias.astype(np.int64))
        if worst.max() > fixed_point.INT32_MAX:
            fail(
                f"the sum of channel {int(worst.argmax())} can reach {int(worst.max())}, more than "
                "int32 holds"
            )
        return
    if size[:, :_FAST_COLUMNS].sum(axis=1).max() * 32768 > fixed_point.INT32_MAX:
        fail(f"its first {_FAST_COLUMNS} products can add up to more than int32 holds")
    if np.abs(bias // 2).max() >= _WIDE_SUM // 2:
        fail("its bias does not fit into 48 bits")
    worst = size.sum(axis=1) * 32768 + np.abs(bias)
    if worst.max() >= _WIDE_SUM:
        fail(
            f"the sum of channel {int(worst.argmax())} can reach {int(worst.max())}, more than 48 "
            "bits hold"
        )
    if max(m.shift for m in scaling) > MAX_SHIFT_S16:
        fail(f"its scales need a left shift beyond {MAX_SHIFT_S16}")
    if any(int(sum_) * m.real >= 1 << 30 for sum_, m in zip(worst, scaling, strict=True)):
        fail("its scaled sums can leave 31 bits, where kernels differ")
