"""Models of one operator for the compiler to take or to refuse."""

import numpy as np

from tests.support.tflite.factory import Affine, Factory, Window
from tinyrobust.core.errors import UsageError
from tinyrobust.models.plan.compiler import compile_plan

IN, OUT = Affine(0.05, -3), Affine(1.0)


def refused(tflite):
    """Why ``tflite`` is, or None."""
    try:
        compile_plan(tflite)
    except UsageError as err:
        return str(err)
    return None


def model(build, shape=(1, 4, 4, 2), q=IN, wide=False, change=lambda f: None):
    """One operator over an input, changed by ``change`` before it is written."""
    f = Factory(wide)
    x = f.input(shape, q)
    y = build(f, x)
    change(f)
    return f.build(x, y)


def dense(weights, bias=None, q=IN, out=OUT, wide=False, scales=(0.1,), change=lambda f: None):
    depth = weights.shape[1]
    return model(
        lambda f, x: f.fully_connected(x, weights, list(scales), bias, out),
        (1, depth),
        q,
        wide,
        change,
    )


def conv(change=lambda f: None, weights=(4, 3, 3, 2), scales=(0.1,), bias=None):
    ones = np.ones(weights, np.int8)
    return model(
        lambda f, x: f.conv_2d(x, ones, list(scales), bias, Window((3, 3)), OUT), change=change
    )


def shaped(tensor, shape):
    return lambda f: setattr(f.tensors[tensor], "shape", shape)
