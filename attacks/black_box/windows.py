"""Rectangular windows of images [k, h, w, c], one of the same size for each image.

They are drawn, cut out and pasted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tinyrobust.core.types import FloatArray, Int64Array

_TILES = 5
"""Tiles per axis of the L2 Square attack's start (the paper's)."""


@dataclass(frozen=True)
class Windows:
    """Index grids int64 [k, height, 1] and [k, 1, width] into the axes of images."""

    rows: Int64Array
    columns: Int64Array

    @property
    def images(self) -> Int64Array:
        """Int64 [k, 1, 1]."""
        return np.arange(len(self.rows))[:, None, None]


def as_images(x: FloatArray) -> FloatArray:
    """[k, *shape] as [k, h, w, c]: a vector is one column, a matrix has one channel."""
    shape = x.shape[1:]
    if len(shape) > 3:
        return x.reshape(len(x), *shape[:2], -1)
    return x.reshape(len(x), *shape, *(1,) * (3 - len(shape)))


def draw_windows(
    rng: np.random.Generator, shape: tuple[int, ...], share: float, odd: bool = False
) -> Windows:
    """A window of about ``share`` of the pixels anywhere in each image of ``shape`` [k, h, w, c].

    ``odd`` makes its sides odd and at least 3.

    It is square as far as the image is large enough, and smaller than the image.
    """
    k, h, w = shape[:3]
    side = math.sqrt(share * h * w)
    if odd:
        side = max(3, round(side) | 1)
    height = max(1, min(round(side), h - 1))
    width = max(1, min(round(side * side / height), w - 1))
    top = rng.integers(0, h - height, size=k, endpoint=True)
    left = rng.integers(0, w - width, size=k, endpoint=True)
    rows = top[:, None] + np.arange(height)
    columns = left[:, None] + np.arange(width)
    return Windows(rows[:, :, None], columns[:, None, :])


def cut(x: FloatArray, windows: Windows) -> FloatArray:
    """What the windows show: [k, height, width, c]."""
    return np.asarray(x[windows.images, windows.rows, windows.columns], np.float32)


def paste(x: FloatArray, windows: Windows, content: FloatArray | np.float32) -> FloatArray:
    """A copy of ``x`` [k, h, w, c] with ``content`` in the windows."""
    out = np.array(x, np.float32)
    out[windows.images, windows.rows, windows.columns] = content
    return out


def bumps(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """A hill beside a valley of L2 length 1 per image and channel, [k, h, w, c].

    Signs are random, and the axis is, where the window is square.
    """
    k, h, w, c = shape
    pair = _pair(h, w)
    pairs = np.repeat(pair[None], k, axis=0)
    if h == w:
        turned = rng.random(k) < 0.5
        pairs[turned] = pair.T
    return np.asarray(pairs[..., None] * rng.choice([-1, 1], size=(k, 1, 1, c)), np.float32)


def tiles(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Images [k, h, w, c] covered with bumps from corner to corner."""
    k, h, w, c = shape
    height, width = max(1, h // _TILES), max(1, w // _TILES)
    out = np.zeros(shape, np.float32)
    for top in range(0, h - height + 1, height):
        for left in range(0, w - width + 1, width):
            out[:, top : top + height, left : left + width] = bumps(rng, (k, height, width, c))
    return out


def _pair(h: int, w: int) -> FloatArray:
    """A hill on a valley along the longer axis, L2 length 1: float32 [h, w]."""
    if w > h:
        return np.asarray(_pair(w, h).T)
    pair = np.concatenate([_hill(h // 2, w), -_hill(h - h // 2, w)])
    return np.asarray(pair / np.linalg.norm(pair), np.float32)


def _hill(h: int, w: int) -> FloatArray:
    """Nested squares round the middle, the n-th outermost ring adding 1 / n^2.

    L2 length 1 unless empty.
    """
    ring = np.maximum(
        np.abs(np.arange(h) - h // 2)[:, None], np.abs(np.arange(w) - w // 2)[None, :]
    )
    added = 1.0 / np.arange(1, max(h, w) + 2) ** 2
    height = added[::-1].cumsum()[::-1][ring]
    return np.asarray(height / max(float(np.linalg.norm(height)), 1e-10), np.float32)
