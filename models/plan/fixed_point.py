"""TFLite's quantization parameter arithmetic, number for number.

Sources: ``quantization_util.cc`` and ``kernel_util.cc`` of TensorFlow Lite, the ``*_common.cc``
preparations of TensorFlow Lite Micro. Scales are the file's float32 values; products are taken in
the precision TFLite takes them in, because one unit in the last place of a multiplier can change an
output byte.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

INT32_MAX = (1 << 31) - 1


@dataclass(frozen=True)
class Multiplier:
    """A fixed-point factor ``q31 * 2**(shift - 31)``.

    The Q31 significand is in [2**30, 2**31) or 0, the shift in [-31, 30] (positive: left).
    """

    q31: int
    shift: int

    @property
    def real(self) -> float:
        """The factor it stands for."""
        return math.ldexp(self.q31, self.shift - 31)


def quantize_multiplier(real: float) -> Multiplier:
    """``QuantizeMultiplier``.

    ``real`` >= 0 and finite. Raises ValueError where a shift beyond 30 would be needed.
    """
    if not (math.isfinite(real) and real >= 0):
        raise ValueError(f"scale factor {real} is not a finite number >= 0")
    if real == 0:
        return Multiplier(0, 0)
    fraction, shift = math.frexp(real)
    q31 = math.floor(fraction * (1 << 31) + 0.5)
    if q31 == 1 << 31:
        q31, shift = q31 // 2, shift + 1
    if shift < -31:
        return Multiplier(0, 0)
    if shift > 30:
        raise ValueError(f"scale factor {real} needs a left shift beyond 30")
    return Multiplier(q31, shift)


def smaller_than_one(real: float) -> Multiplier:
    """``QuantizeMultiplierSmallerThanOneExp``. Raises ValueError unless 0 < ``real`` < 1."""
    if not 0 < real < 1:
        raise ValueError(f"scale factor {real} is not between 0 and 1")
    out = quantize_multiplier(real)
    if out.shift > 0:
        raise ValueError(f"scale factor {real} rounds to 1")
    return out


def conv_multiplier(input_scale: float, filter_scale: float, output_scale: float) -> Multiplier:
    """Factor of CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED, per channel or not.

    The product of the scales is taken in double.
    """
    return quantize_multiplier(input_scale * filter_scale / output_scale)


@dataclass(frozen=True)
class AddParams:
    """How ADD brings its inputs to one scale, and their sum to the output's.

    Both inputs are shifted left, brought to twice the larger scale and added.
    """

    left_shift: int
    input1: Multiplier
    input2: Multiplier
    output: Multiplier


def add_params(scale1: float, scale2: float, output_scale: float, left_shift: int) -> AddParams:
    """ADD (``CalculateOpDataAdd``), which shifts int8 by 20 and int16 by 15 bits."""
    twice = 2 * max(scale1, scale2)
    return AddParams(
        left_shift,
        smaller_than_one(scale1 / twice),
        smaller_than_one(scale2 / twice),
        smaller_than_one(twice / ((1 << left_shift) * output_scale)),
    )


def mean_multiplier(input_scale: float, output_scale: float, count: int) -> Multiplier:
    """MEAN over ``count`` elements: the division is folded in as ``QuantizedMeanOrSum`` does."""
    base = quantize_multiplier(input_scale / output_scale)
    shift = min(count.bit_length() - 1, 32, 31 + base.shift)
    return Multiplier((base.q31 << shift) // count, base.shift - shift)


@dataclass(frozen=True)
class SoftmaxParams:
    """Scaled difference in Q5.26; differences below ``diff_min`` count as zero probability."""

    multiplier: Multiplier
    diff_min: int


def softmax_params(input_scale: float, beta: float) -> SoftmaxParams:
    """Multiplier and radius of SOFTMAX int8.

    As ``PreprocessSoftmaxScaling`` and ``CalculateInputRadius`` with 5 integer bits.
    """
    integer_bits = 5
    real = beta * input_scale * (1 << (31 - integer_bits))
    if not real > 1:
        raise ValueError(f"beta * scale = {beta * input_scale} is too small")
    scaling = quantize_multiplier(real)
    radius = math.floor(
        ((1 << integer_bits) - 1) * (1 << (31 - integer_bits)) / (1 << scaling.shift)
    )
    return SoftmaxParams(scaling, -radius)


def softmax_table_multiplier(input_scale: float, beta: float) -> Multiplier:
    """SOFTMAX int16 (``CalculateSoftmaxParams``): differences such that -65535 stands for -10."""
    return quantize_multiplier(input_scale * beta / (10.0 / 65535.0))


def activation_range(
    activation: str, scale: float, zero_point: int, lowest: int, highest: int
) -> tuple[int, int]:
    """Output clamp of a fused activation (``CalculateActivationRangeQuantized``).

    ``lowest`` and ``highest`` are the type's. Raises ValueError if the activation is unknown.
    """

    def quantized(real: float) -> int:
        steps = float(np.float32(real) / np.float32(scale))
        if abs(steps) > INT32_MAX:
            raise ValueError(f"scale {scale} is too small for {activation}")
        return zero_point + int(math.copysign(math.floor(abs(steps) + 0.5), steps))

    match activation:
        case "NONE":
            return lowest, highest
        case "RELU":
            low, high = max(lowest, quantized(0)), highest
        case "RELU6":
            low, high = max(lowest, quantized(0)), min(highest, quantized(6))
        case "RELU_N1_TO_1":
            low, high = max(lowest, quantized(-1)), min(highest, quantized(1))
        case _:
            raise ValueError(f"fused activation {activation} is not supported")
    if low > high:
        raise ValueError(
            f"fused activation {activation} leaves no values at scale {scale}, zero point "
            f"{zero_point}"
        )
    return low, high


@dataclass(frozen=True)
class Window:
    """One axis of a convolution or pooling: output length and padding before the first element."""

    out: int
    pad: int


def window(size: int, kernel: int, stride: int, dilation: int, same: bool) -> Window:
    """``ComputePaddingHeightWidth`` for one axis. Raises ValueError where nothing comes out."""
    reach = (kernel - 1) * dilation + 1
    out = (size + stride - 1) // stride if same else (size + stride - reach) // stride
    if out < 1:
        raise ValueError(f"a window of {reach} does not fit into {size}")
    return Window(out, max(0, (out - 1) * stride + reach - size) // 2)
