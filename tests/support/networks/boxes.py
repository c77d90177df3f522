"""Boxes around samples of a random model, points inside of them, and what a network says there."""

import numpy as np

from tests.support.tflite.cases import Case
from tests.support.tflite.factory import Affine, Factory, Window
from tinyrobust.core.grid import to_model_input
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.bounds.network import network_of
from tinyrobust.models.plan.compiler import compile_plan
from tinyrobust.models.plan.reader import read_plan
from tinyrobust.models.rungs.twin.predictor import TwinPredictor


def network(tflite):
    return network_of(read_plan(compile_plan(tflite).data))


def grid_box(q, levels):
    wide = q.astype(np.int16)
    return tuple(np.clip(wide + by, -128, 127).astype(np.int8) for by in (-levels, levels))


def fed(case, q):
    """Flat float32 of what the model's input gets for ``q``."""
    return case.fed(q).reshape(len(q), -1).astype(np.float32)


def points(q, levels, n, seed=0):
    """int8 [n, len(q), *shape]: random points of the boxes, then random corners, then both ends."""
    rng = np.random.default_rng(seed)
    low, high = (end.astype(np.int16) for end in grid_box(q, levels))
    inside = rng.integers(low, high + 1, (n // 2, *q.shape))
    corners = np.where(rng.random((n - n // 2, *q.shape)) < 0.5, low, high)
    return np.concatenate([inside, corners, low[None], high[None]]).astype(np.int8)


class Answers:
    """The outputs of every node of a network, by the twin."""

    def __init__(self, case):
        self.case = case
        self.network = network(case.tflite)
        self.twin = TwinPredictor(case.tflite, case.spec)
        self.at = [node.record.head.op for node in self.network.nodes]

    def __call__(self, q):
        """int8 [n, *shape] -> the output of each node, [n, size]."""
        assert (to_model_input(q, self.case.spec, self.case.grid) == self.case.fed(q)).all()
        layers = self.twin.layers(q)
        return [layers[at].reshape(len(q), -1) for at in self.at]


def every_operator(wide=False, softmax=False):
    """Every operator once, a skip connection, per-channel weights."""
    rng = np.random.default_rng(1)
    fine = 256 if wide else 1
    f = Factory(wide)
    x = f.input((1, 6, 6, 2), Affine(1 / 128 / fine, 0 if wide else 3))
    w = rng.integers(-127, 128, (4, 3, 3, 2), np.int8)
    out = Affine(0.1 / fine, 0 if wide else -100)
    y = f.conv_2d(x, w, [0.01, 0.02, 0.01, 0.005], None, Window((3, 3), same=True), out, "RELU")
    d = rng.integers(-127, 128, (1, 3, 3, 4), np.int8)
    z = f.depthwise_conv_2d(y, d, [0.004], None, Window((3, 3), same=True), out)
    y = f.add(y, f.quantize(z, out), Affine(0.2 / fine, 0 if wide else 5), "RELU")
    y = f.pad(y, [(0, 0), (1, 0), (0, 1), (0, 0)])
    y = f.max_pool_2d(y, Window((2, 2), (2, 2), same=True))
    y = f.average_pool_2d(y, Window((2, 2), (1, 1), same=True))
    y = f.mean(y, Affine(0.05 / fine, 0 if wide else -9))
    y = f.fully_connected(
        y, rng.integers(-127, 128, (5, 4), np.int8), [0.01], None, Affine(0.05 / fine)
    )
    y = f.softmax(y) if softmax else y
    grid = TensorSpec((6, 6, 2), x.q.scale, x.q.zero_point, "int16" if wide else "int8")
    spec = TensorSpec((6, 6, 2), 1 / 128, 3) if wide else grid
    return Case("ALL", "", grid, spec, f.build(x, y))
