"""Sums of products of small integers, exact in floating point, in the fastest way that is.

float32 holds every integer up to 2**24: partial sums of int8 activations mostly fit. Those of int16
ones do not: they are taken as two float32 sums, of the high and of the low byte, which is several
times faster than float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.twin.requantize import Tensor

_EXACT = 1 << 24
_HALF = 256


def exact_sums(
    x: Tensor,
    largest: int,
    weights: NDArray[np.integer[Any]],
    product: Callable[[Tensor], Tensor],
    bias: NDArray[np.int64] | None = None,
) -> Tensor:
    """``product(x) + bias`` without an error: exact integers in float32 or float64.

    ``x`` [n, ...] are float32 integers of up to ``largest``.

    ``product`` is linear, keeps the batch and the dtype, and has ``weights`` [..., channels] in it.
    """
    total = int(np.abs(weights.astype(np.int64)).reshape(-1, weights.shape[-1]).sum(axis=0).max())
    sums = _sums(x, largest, total, product)
    if bias is None:
        return sums
    if sums.dtype == tf.float64 or total * largest + int(np.abs(bias).max()) >= _EXACT:
        return tf.cast(sums, tf.float64) + bias
    return tf.nn.bias_add(
        sums, tf.constant(bias, tf.float32)
    )  # TensorFlow fuses it into the product


def _sums(x: Tensor, largest: int, total: int, product: Callable[[Tensor], Tensor]) -> Tensor:
    if total * largest < _EXACT:
        return product(x)
    if largest > _HALF and total * (_HALF // 2) < _EXACT:
        return _by_halves(x, product)
    return product(tf.cast(x, tf.float64))


def _by_halves(x: Tensor, product: Callable[[Tensor], Tensor]) -> Tensor:
    """``x`` = 256 * high + low with both of them within [-128, 128]; float64."""

    def linear(x: Tensor) -> tuple[Tensor, Any]:
        high = tf.floor(x / _HALF + 0.5)
        upper, lower = tf.split(
            tf.cast(product(tf.concat([high, x - _HALF * high], 0)), tf.float64), 2
        )

        def gradient(upstream: Tensor) -> Tensor:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = product(x)
            return tape.gradient(y, x, tf.cast(upstream, x.dtype))

        return _HALF * upper + lower, gradient

    return tf.custom_gradient(linear)(x)
