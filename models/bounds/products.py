"""The linear part of each operator as a function of its flat input and a kernel that may change.

The same function serves the exact sums of intervals (kernels split by sign, float32) and the
backward pass of linear bounds (its transposition, float64).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.abi.plan import Conv, DepthwiseConv, FullyConnected, Mean, Pad, Pool
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.plan.reader import Program
from tinyrobust.models.rungs.twin.requantize import Tensor

Kernel = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Product:
    """``apply(x, kernel)``: [n, in] -> [n, ..., channels], linear in both; any float dtype.

    Padding is 0, as it is for the kernels after the input's offset.
    """

    kernel: Kernel
    """[..., channels]: the sum of its magnitudes over all but the last axis bounds the gain."""
    apply: Callable[[Tensor, Kernel], Tensor]

    @property
    def gain(self) -> NDArray[np.int64]:
        """Largest sum of magnitudes of weights for each channel, int64 [channels]."""
        size = np.abs(self.kernel.astype(np.int64))
        total: NDArray[np.int64] = size.reshape(-1, size.shape[-1]).sum(axis=0)
        return total

    def split(self, x: Tensor, y: Tensor) -> Tensor:
        """The sums with ``x`` under weights above 0 and ``y`` under those below."""
        up, down = np.maximum(self.kernel, 0), np.minimum(self.kernel, 0)
        sums = self.apply(x, up)
        return sums + self.apply(y, down) if down.any() else sums

    def transposed(self, c: Tensor, size: int) -> Tensor:
        """[n, out] coefficients of the sums -> [n, ``size``] coefficients of the inputs."""
        x = tf.zeros((tf.shape(c)[0], size), c.dtype)
        with tf.GradientTape() as tape:
            tape.watch(x)
            sums = self.apply(x, self.kernel)
        return tape.gradient(sums, x, tf.reshape(c, (-1, *sums.shape[1:])))


def identity() -> Product:
    """Every element as it is."""
    return Product(np.ones((1, 1), np.int8), lambda x, _: x)


def conv(p: Program, op: Conv) -> Product:
    """CONV_2D."""
    w = p.constant(op.weights, np.int8, op.out_c, op.k_h, op.k_w, op.in_c).transpose(1, 2, 3, 0)
    reach = _reaches(op, op.dilation_h, op.dilation_w)

    def apply(x: Tensor, kernel: Kernel) -> Tensor:
        x = tf.pad(tf.reshape(x, (-1, op.in_h, op.in_w, op.in_c)), reach)
        k = tf.constant(_dilated(kernel, op.dilation_h, op.dilation_w), x.dtype)
        return tf.nn.conv2d(x, k, (op.stride_h, op.stride_w), "VALID")

    return Product(w, apply)


def depthwise(p: Program, op: DepthwiseConv) -> Product:
    """DEPTHWISE_CONV_2D."""
    w = p.constant(op.weights, np.int8, op.k_h, op.k_w, op.out_c)
    reach = _reaches(op, op.dilation_h, op.dilation_w)

    def apply(x: Tensor, kernel: Kernel) -> Tensor:
        x = tf.pad(tf.reshape(x, (-1, op.in_h, op.in_w, op.in_c)), reach)
        k = kernel.reshape(op.k_h, op.k_w, op.in_c, op.ch_mult)
        return _by_channel(x, _dilated(k, op.dilation_h, op.dilation_w), op.stride_h, op.stride_w)

    return Product(w, apply)


def dense(p: Program, op: FullyConnected) -> Product:
    """FULLY_CONNECTED."""
    w = p.constant(op.weights, np.int8, op.out_c, op.depth).T
    return Product(w, lambda x, kernel: tf.matmul(x, tf.constant(kernel, x.dtype)))


def mean(op: Mean) -> Product:
    """MEAN's sums over height and width."""
    ones = np.ones((op.in_h * op.in_w, op.channels), np.int8)
    shape = (-1, op.in_h * op.in_w, op.channels)
    return Product(ones, lambda x, kernel: tf.reduce_sum(tf.reshape(x, shape), 1))


def average(op: Pool) -> Product:
    """AVERAGE_POOL_2D's sums."""

    def apply(x: Tensor, kernel: Kernel) -> Tensor:
        x = tf.pad(tf.reshape(x, (-1, op.in_h, op.in_w, op.channels)), _reaches(op, 1, 1))
        return _by_channel(x, kernel[..., None], op.stride_h, op.stride_w)

    return Product(np.ones((op.k_h, op.k_w, op.channels), np.int8), apply)


def pad(op: Pad) -> Product:
    """PAD, the new elements 0."""
    widths = [(0, 0), *zip(op.before[1:], op.after[1:], strict=True)]
    shape = (-1, *op.in_dims[1:])
    return Product(np.ones((1, 1), np.int8), lambda x, _: tf.pad(tf.reshape(x, shape), widths))


def patches(op: Pool, x: Tensor, border: float) -> Tensor:
    """[n, in] -> [n, out_h, out_w, k_h * k_w, channels]: what each window of a pool sees."""
    x = tf.reshape(x, (-1, op.in_h, op.in_w, op.channels))
    x = tf.pad(x, _reaches(op, 1, 1), constant_values=tf.cast(border, x.dtype))
    window, stride = (1, op.k_h, op.k_w, 1), (1, op.stride_h, op.stride_w, 1)
    seen = tf.image.extract_patches(x, window, stride, (1, 1, 1, 1), "VALID")
    return tf.reshape(seen, (-1, op.out_h, op.out_w, op.k_h * op.k_w, op.channels))


def covered(op: Pool) -> NDArray[np.int64]:
    """How many real elements each window of a pool holds, int64 [out_h, out_w]."""

    def axis(size: int, kernel: int, stride: int, before: int, out: int) -> NDArray[np.int64]:
        start = np.arange(out, dtype=np.int64) * stride - before
        return np.minimum(start + kernel, size) - np.maximum(start, 0)

    rows = axis(op.in_h, op.k_h, op.stride_h, op.pad_h, op.out_h)
    return np.outer(rows, axis(op.in_w, op.k_w, op.stride_w, op.pad_w, op.out_w))


def _reaches(op: Conv | DepthwiseConv | Pool, by_h: int, by_w: int) -> list[tuple[int, int]]:
    """Widths of the padding that the windows reach, for NHWC."""

    def axis(size: int, kernel: int, stride: int, by: int, before: int, out: int) -> int:
        return max(0, (out - 1) * stride + (kernel - 1) * by + 1 - size - before)

    below = axis(op.in_h, op.k_h, op.stride_h, by_h, op.pad_h, op.out_h)
    right = axis(op.in_w, op.k_w, op.stride_w, by_w, op.pad_w, op.out_w)
    return [(0, 0), (op.pad_h, below), (op.pad_w, right), (0, 0)]


def _dilated(w: Kernel, by_h: int, by_w: int) -> Kernel:
    """``w`` [k_h, k_w, ...] with its holes written out: no CPU gradient of dilated kernels."""
    out = np.zeros(
        ((w.shape[0] - 1) * by_h + 1, (w.shape[1] - 1) * by_w + 1, *w.shape[2:]), w.dtype
    )
    out[::by_h, ::by_w] = w
    return out


def _by_channel(x: Tensor, kernel: Kernel, stride_h: int, stride_w: int) -> Tensor:
    """Each channel under its own weights; TensorFlow takes equal strides only."""
    k = tf.constant(kernel, x.dtype)
    if kernel.shape[2] == 1:
        # The same under its other name: oneDNN mistakes a depthwise 1x1 of one channel.
        return tf.nn.conv2d(x, k, (stride_h, stride_w), "VALID")
    if stride_h == stride_w:
        return tf.nn.depthwise_conv2d(x, k, (1, stride_h, stride_w, 1), "VALID")
    return tf.nn.depthwise_conv2d(x, k, (1, 1, 1, 1), "VALID")[:, ::stride_h, ::stride_w]
