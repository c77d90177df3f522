"""The usual CIFAR augmentation, on the input lattice: a random shift of up to four pixels and a mirror."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from host.types import Int8Array

_SHIFT = 4


def shift_and_flip(q: Int8Array, rng: np.random.Generator) -> Int8Array:
    """``q`` int8 [n, h, w, c], each image shifted (edges filled with 0) and half of them mirrored; a new array."""
    n, height, width, _ = q.shape
    padded = np.pad(q, ((0, 0), (_SHIFT, _SHIFT), (_SHIFT, _SHIFT), (0, 0)))
    windows = sliding_window_view(padded, (height, width), axis=(1, 2))  # [n, shifts, shifts, c, h, w]
    dy, dx = rng.integers(0, 2 * _SHIFT + 1, (2, n))
    out: Int8Array = np.ascontiguousarray(windows[np.arange(n), dy, dx].transpose(0, 2, 3, 1))
    mirrored = rng.random(n) < 0.5
    out[mirrored] = out[mirrored, :, ::-1]
    return out
