"""Small sums that TensorFlow is asked for: convolutions, products, pools, and their gradients.

A case is one operator at one shape. Its reference is made of NumPy's integers and of the operator's
definition alone. Values are so small that float32 holds every partial sum: any order of adding them
gives the same, and what differs is wrong.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinyrobust.models.keras.tf import tf

Ints = NDArray[np.int64]
Pair = tuple[int, int]
Tensor = Any
WINDOWS = 36
"""Values that are averaged are multiples of it, and so of the sizes of all windows of ``cases``."""


class Sums(NamedTuple):
    """All answers of one case, None for what there is not.

    ``fused`` is the output with a bias and ReLU.
    """

    output: Any
    fused: Any
    to_input: Any
    to_weights: Any


@dataclass(frozen=True)
class Case:
    """Pairs are (height, width). ``outputs`` is a depthwise convolution's multiplier, 1 for pools.

    ``padding``: SAME, VALID, or how many (rows, columns) come before and after the input.
    """

    operator: str
    n: int
    size: Pair
    channels: int
    outputs: int
    kernel: Pair
    stride: Pair
    padding: str | tuple[Pair, Pair]
    dilation: Pair = (1, 1)

    @property
    def out(self) -> Pair:
        """Rows and columns of the output; below 1 where the window does not fit."""
        if self.padding == "SAME":
            return -(-self.size[0] // self.stride[0]), -(-self.size[1] // self.stride[1])
        axes = zip(self.size, self._padded(), self._reach(), self.stride, strict=True)
        h, w = ((size + sum(pad) - reach) // stride + 1 for size, pad, reach, stride in axes)
        return h, w

    def operands(self, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
        """Input, weights [height, width, channels, outputs] and the gradient from above."""
        shape, scale = (self.n, *self.size, self.channels), 1
        x = rng.integers(-8, 9, shape)
        if self.operator == "MaxPool":  # no two alike: which of those passes a gradient is free
            x = rng.permutation(x.size).reshape(shape)
        if self.operator == "AvgPool":
            scale = WINDOWS
        w = rng.integers(-8, 9, (*self.kernel, self.channels, self.outputs))
        deep = (
            self.outputs if self.operator in ("Conv2D", "MatMul") else self.channels * self.outputs
        )
        return scale * x, w, scale * rng.integers(-8, 9, (self.n, *self.out, deep))

    def integers(self, x: Ints, w: Ints, up: Ints) -> Sums:
        """The reference: every element of the kernel in turn."""
        around = [(0, 0), *self._padded(), (0, 0)]
        padded, inside = np.pad(x, around), np.pad(np.ones_like(x), around)
        back, slopes = np.zeros_like(padded), np.zeros_like(w)
        places = list(self._places())
        seen = np.stack([padded[at] for _, at in places])
        real = np.stack([inside[at] for _, at in places])
        up = up.reshape(self.n, *self.out, *self._depth())
        y: Ints = np.zeros_like(up)
        if self.operator == "MaxPool":
            seen = np.where(real > 0, seen, -1)
            y = seen.max(0)[..., None]
            for i, (_, at) in enumerate(places):
                back[at] += np.where(seen.argmax(0) == i, up[..., 0], 0)
        elif self.operator == "AvgPool":
            y = (seen.sum(0) // real.sum(0))[..., None]
            for _, at in places:
                back[at] += up[..., 0] // real.sum(0)
        elif self.operator == "Depthwise":
            for taps, (tap, at) in zip(seen, places, strict=True):
                y += taps[..., None] * w[tap]
                back[at] += (up * w[tap]).sum(-1)
                slopes[tap] = (taps[..., None] * up).sum((0, 1, 2))
        else:
            for taps, (tap, at) in zip(seen, places, strict=True):
                y += taps @ w[tap]
                back[at] += up @ w[tap].T
                slopes[tap] = np.tensordot(taps, up, ((0, 1, 2), (0, 1, 2)))
        y = y.reshape(self.n, *self.out, -1)
        (top, _), (left, _) = self._padded()
        back = back[:, top : top + self.size[0], left : left + self.size[1]]
        if self.operator in ("MaxPool", "AvgPool"):
            return Sums(y, None, back, None)
        return Sums(y, np.maximum(y + self._bias(y.shape[-1]), 0), back, slopes)

    def tensors(self, x: Tensor, w: Tensor, up: Tensor) -> Sums:
        """The sums as TensorFlow computes them from float32 operands."""
        with tf.GradientTape() as tape:
            tape.watch((x, w))
            y = self._operator(x, w)
        back = slopes = None
        if self.dilation == (1, 1):  # TensorFlow has no gradient of the others on a CPU
            back, slopes = tape.gradient(y, (x, w), up)
        if self.operator in ("MaxPool", "AvgPool"):
            return Sums(y, None, back, None)
        bias = tf.constant(self._bias(y.shape[-1]), x.dtype)
        return Sums(y, tf.nn.relu(tf.nn.bias_add(self._operator(x, w), bias)), back, slopes)

    def _operator(self, x: Tensor, w: Tensor) -> Tensor:
        padding: Any = self.padding
        if not isinstance(padding, str):
            padding = [(0, 0), *padding, (0, 0)]
        match self.operator:
            case "Conv2D":
                return tf.nn.conv2d(x, w, self.stride, padding, dilations=self.dilation)
            case "Depthwise":
                return tf.nn.depthwise_conv2d(x, w, (1, *self.stride, 1), padding)
            case "MatMul":
                product = tf.matmul(tf.reshape(x, (self.n, self.channels)), w[0, 0])
                return tf.reshape(product, (self.n, 1, 1, self.outputs))
            case "AvgPool":
                return tf.nn.avg_pool2d(x, self.kernel, self.stride, padding)
            case _:
                return tf.nn.max_pool2d(x, self.kernel, self.stride, padding)

    def _depth(self) -> tuple[int, ...]:
        if self.operator in ("Conv2D", "MatMul"):
            return (self.outputs,)
        return self.channels, self.outputs

    def _bias(self, channels: int) -> Ints:
        return np.arange(channels, dtype=np.int64) - 5

    def _reach(self) -> Pair:
        h, w = ((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))
        return h, w

    def _padded(self) -> tuple[Pair, Pair]:
        """Rows and columns before and after the input."""
        if not isinstance(self.padding, str):
            return self.padding
        if self.padding == "VALID":
            return (0, 0), (0, 0)
        axes = zip(self.size, self._reach(), self.stride, self.out, strict=True)
        rows, columns = (max(0, (out - 1) * stride + r - size) for size, r, stride, out in axes)
        return (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)

    def _places(self) -> Iterator[tuple[Pair, tuple[slice, ...]]]:
        """Each element of the kernel, and where in the padded input it meets the windows."""
        for tap in itertools.product(range(self.kernel[0]), range(self.kernel[1])):
            axes = zip(tap, self.dilation, self.stride, self.out, strict=True)
            meets = (slice(t * d, t * d + (out - 1) * s + 1, s) for t, d, s, out in axes)
            yield tap, (slice(None), *meets)
