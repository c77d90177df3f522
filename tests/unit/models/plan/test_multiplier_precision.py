"""In which precision TFLite Micro multiplies two scales: told by sums that only one of the two
answers rounds up.
"""

import numpy as np
import pytest

from tests.support.networks.oracle import tflm
from tests.support.tflite.factory import Affine, Factory, Window
from tinyrobust.models.plan import fixed_point as fp
from tinyrobust.models.rungs.twin.predictor import TwinPredictor

pytestmark = pytest.mark.slow

TELLING = 12
"""Sums to be found; each alone would do."""


def requantized(sums, m):
    """Rounded twice, as gemmlowp: Q31 high product, then a rounding right shift."""
    high = (sums * m.q31 + (1 << 30)) >> 31
    down = -m.shift
    low = high & ((1 << down) - 1)
    return (high >> down) + (low > ((1 << down) - 1 >> 1) + (high < 0))


def telling_scales():
    """Scales and int32 sums whose results differ by a level between a float32 and a double product
    of scales.
    """
    rng = np.random.default_rng(0)
    found = []
    while len(found) < TELLING:
        x, w, y = (np.float32(rng.uniform(0.5, 1) * unit) for unit in (0.02, 0.002, 0.5))
        in_float = fp.quantize_multiplier(float(x * w) / float(y))
        in_double = fp.quantize_multiplier(float(x) * float(w) / float(y))
        halves = np.round((np.arange(-100, 100) + 0.5) / in_double.real).astype(np.int64)
        sums = (halves[:, None] + np.arange(-2, 3)).ravel()
        sums = sums[requantized(sums, in_float) != requantized(sums, in_double)]
        found += [(x, w, y, int(s)) for s in sums[:1]]
    return found


def dense(f, source, scale, bias, out):
    return f.fully_connected(source, np.zeros((1, 1), np.int8), [scale], bias, out)


def conv(f, source, scale, bias, out):
    return f.conv_2d(source, np.zeros((1, 1, 1, 1), np.int8), [scale], bias, Window(), out)


def depthwise(f, source, scale, bias, out):
    return f.depthwise_conv_2d(
        source, np.zeros((1, 1, 1, 1), np.int8), [scale], bias, Window(), out
    )


@pytest.mark.parametrize(
    ("operator", "shape"), [(dense, (1, 1)), (conv, (1, 1, 1, 1)), (depthwise, (1, 1, 1, 1))]
)
def test_product_of_scales_is_taken_as_tflite_micro_takes_it(operator, shape):
    for x, w, y, total in telling_scales():
        f = Factory()
        source = f.input(shape, Affine(float(x)))
        tflite = f.build(
            source, operator(f, source, float(w), np.array([total], np.int32), Affine(float(y)))
        )
        q = np.zeros((1, *shape[1:]), np.int8)
        np.testing.assert_array_equal(TwinPredictor(tflite).predict(q).raw, tflm(tflite, q))
