"""Cases that a random draw once found to be wrong: explicit examples of their tests from then
on.
"""

from __future__ import annotations

import numpy as np

from tests.support.tflite.cases import Case
from tests.support.tflite.factory import Affine, Factory, Window
from tinyrobust.core.types import TensorSpec

WINDOW = Window((1, 3), (1, 2), same=True)


def _one_column(operator: str, wide: bool) -> Case:
    """One input channel, stride (1, 2), outputs one column wide: oneDNN reads beside the input."""
    rng = np.random.default_rng(0)
    f = Factory(wide)
    x = f.input((1, 2, 2, 1), Affine(0.25 / 256 if wide else 0.25))
    out = Affine(0.5 / 256 if wide else 0.5)
    if operator == "CONV_2D":
        weights = rng.integers(-127, 128, (3, 1, 3, 1), np.int8)
        y = f.conv_2d(x, weights, [0.01], None, WINDOW, out)
    else:
        weights = rng.integers(-127, 128, (1, 1, 3, 3), np.int8)
        y = f.depthwise_conv_2d(x, weights, [0.01], None, WINDOW, out)
    grid = TensorSpec(x.shape[1:], x.q.scale, 0, "int16" if wide else "int8")
    spec = TensorSpec(x.shape[1:], 0.25, 0)
    return Case(operator, f"one column, {WINDOW}", grid, spec, f.build(x, y))


ONCE_WRONG = {
    f"{operator}{' int16' * wide}": (_one_column(operator, wide),)
    for operator in ("CONV_2D", "DEPTHWISE_CONV_2D")
    for wide in (False, True)
}
