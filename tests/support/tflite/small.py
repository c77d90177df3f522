"""A convolution and a dense layer over 8x8 pixels: the smallest model that says something about the
whole pipe.
"""

import numpy as np

from tests.support.levels import levels
from tests.support.tflite.factory import Affine, Factory, Window

SHAPE = (8, 8, 1)


def small_tflite(wide: bool = False, biased: bool = False) -> bytes:
    """The .tflite: int8 [1, 8, 8, 1] -> int8 [1, 10], or int16 both; ``biased``: the convolution
    too.
    """
    rng = np.random.default_rng(5)
    f, finer = (Factory(wide=True), 256) if wide else (Factory(), 1)
    x = f.input((1, *SHAPE), Affine(1 / 128 / finer))
    weights = rng.integers(-127, 128, (4, 3, 3, 1), np.int8)
    added = np.arange(4, dtype=np.int32) if biased else None
    out = Affine(1 / 32 / finer, 0 if wide else -128)
    window = Window((3, 3), (2, 2), same=True)
    y = f.conv_2d(x, weights, [0.01] * 4, added, window, out, "RELU")
    dense = rng.integers(-127, 128, (10, 64), np.int8)
    bias = np.arange(10, dtype=np.int64 if wide else np.int32)
    return f.build(
        x, f.fully_connected(f.reshape(y, (1, 64)), dense, [0.01], bias, Affine(1 / 4 / finer))
    )


def samples(n, seed=0):
    """``n`` inputs of it, int8 [n, 8, 8, 1]."""
    return levels(n, SHAPE, seed)
