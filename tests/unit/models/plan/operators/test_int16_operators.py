"""int16 activations where tflite-micro and CMSIS-NN have corners of their own."""

import numpy as np
import pytest

from tests.support.networks.oracle import tflm
from tests.support.tflite.factory import Affine, Factory, Window
from tinyrobust.core.abi.plan import Kind
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.plan.compiler import compile_plan
from tinyrobust.models.plan.operators import softmax_tables
from tinyrobust.models.plan.reader import read_plan
from tinyrobust.models.rungs.twin.predictor import TwinPredictor

X = Affine(1e-3)


def dense(bias, depth=4, weights=None, scales=(0.01,)):
    f = Factory(wide=True)
    x = f.input((1, depth), X)
    w = np.full((2, depth), 100, np.int8) if weights is None else weights
    return f.build(x, f.fully_connected(x, w, list(scales), bias, Affine(2e-3)))


def kinds(tflite):
    return [record.head.kind for record in read_plan(compile_plan(tflite).data).records]


@pytest.mark.parametrize(
    ("bias", "scales", "kind"),
    [
        (np.int64, [0.01], Kind.FULLY_CONNECTED_S16),
        (None, [0.01], Kind.FULLY_CONNECTED_S16),
        (np.int32, [0.01], Kind.CONV_2D_S16_B32),
        (np.int64, [0.01, 0.02], Kind.CONV_2D_S16),
        (np.int32, [0.01, 0.02], Kind.CONV_2D_S16_B32),
    ],
)
def test_the_bias_decides_how_sums_are_rounded(bias, scales, kind):
    bias = None if bias is None else np.array([5, -7], bias)
    tflite = dense(bias, scales=scales)
    assert kinds(tflite) == [kind]
    q = np.random.default_rng(0).integers(-128, 128, (200, 4)).astype(np.int8)
    spec = TensorSpec((4,), X.scale * 199, 3)
    twin = TwinPredictor(tflite, spec)
    fed = ((q.astype(int) - 3) * 199).astype(np.int16)
    np.testing.assert_array_equal(twin.predict(q).raw, tflm(tflite, fed))


def test_both_softmax_tables_are_tflite_micros_over_their_whole_range():
    """Two classes: every difference from 0 to 65535 looks up an exponential, and a sum for every
    pair.
    """
    f = Factory(wide=True)
    x = f.input((1, 2), Affine(10 / 65535))
    tflite = f.build(x, f.softmax(x))
    steps = np.arange(0, 65536, 37)
    pairs = np.stack([np.full(steps.shape, 32767), 32767 - steps], axis=1).astype(np.int16)
    twin = TwinPredictor(tflite)
    np.testing.assert_array_equal(twin._predict(pairs).numpy(), tflm(tflite, pairs))
    assert softmax_tables.exponential().min() > 0, "what the firmware requires of a table"


def exponential_sum(row):
    """Of a row of differences to its largest element, in tflite-micro's Q0.15, for a scale of 10 /
    65535.
    """
    table = softmax_tables.exponential().astype(int)
    at = np.clip(np.array(row) + 32767, -32768, 32767)
    index, place = (at >> 7) + 256, at & 127
    return int((table[index] + (((table[index + 1] - table[index]) * place + 64) >> 7)).sum())


def sums_to(total):
    """Differences whose exponentials add up to ``total``: eight near 1, one small one to make up
    the rest.
    """
    rest = total - 8 * exponential_sum([0])
    return next([0] * 8 + [-d] for d in range(65536) if exponential_sum([-d]) == rest)


def test_a_softmax_sum_that_rounds_up_to_a_power_of_two_saturates():
    """2**18 - 1: CMSIS-NN's kernel wraps to a reciprocal of 1 here, tflite-micro's saturates to
    1/2.
    """
    row = (20000 + np.array([sums_to(2**18 - 1)])).astype(np.int16)
    f = Factory(wide=True)
    x = f.input((1, 9), Affine(10 / 65535))
    tflite = f.build(x, f.softmax(x))
    expected = tflm(tflite, row)
    assert 4000 < expected[0, 0] < 4200, "an eighth"
    np.testing.assert_array_equal(TwinPredictor(tflite)._predict(row).numpy(), expected)


def refusal(f, x, y):
    with pytest.raises(UsageError) as err:
        compile_plan(f.build(x, y))
    return str(err.value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda f: setattr(f.tensors[1].quantization, "zeroPoint", [1]),
            "zero point 1, INT16 takes 0 to 0",
        ),
        (lambda f: setattr(f.tensors[1].quantization, "scale", [1e-9]), "left shift beyond 7"),
        (
            lambda f: setattr(f.tensors[1].quantization, "scale", [2e-6]),
            "scaled sums can leave 31 bits",
        ),
        (lambda f: setattr(f.tensors[3], "type", 0), "bias is FLOAT32[2], INT64[2] is supported"),
        (
            lambda f: setattr(f.buffers[2], "data", np.full(16, 0x7F, np.uint8)),
            "does not fit into 48 bits",
        ),
    ],
)
def test_what_kernels_do_not_agree_on_is_refused(change, reason):
    f = Factory(wide=True)
    x = f.input((1, 4, 4, 2), X)
    w = np.full((2, 3, 3, 2), 100, np.int8)
    y = f.conv_2d(x, w, [0.1], np.zeros(2, np.int64), Window((3, 3)), Affine(1.0))
    change(f)
    assert reason in refusal(f, x, y)


def test_int8_and_int16_do_not_mix():
    f = Factory(wide=True)
    x = f.input((1, 2, 2, 1), X)
    y = f.max_pool_2d(f.max_pool_2d(x, Window()), Window())
    f.tensors[1].type = 9
    assert "tensor 1 (t1) is INT8 in a model of INT16 activations" in refusal(f, x, y)
    f.tensors[1].type, f.tensors[2].type = 7, 9
    assert refusal(f, x, y) == "model: its input is INT16, its output INT8; give both one type"


def test_a_depthwise_bias_of_int32_is_refused():
    f = Factory(wide=True)
    x = f.input((1, 4, 4, 2), X)
    y = f.depthwise_conv_2d(
        x, np.ones((1, 3, 3, 2), np.int8), [0.1], np.zeros(2, np.int32), Window((3, 3)), X
    )
    assert "its bias is INT32[2], INT64[2] is supported" in refusal(f, x, y)


def test_sums_of_512_columns_that_could_overflow_are_refused():
    f = Factory(wide=True)
    x = f.input((1, 600), X)
    y = f.fully_connected(x, np.full((1, 600), -128, np.int8), [0.01], None, Affine(1.0))
    assert "first 512 products" in refusal(f, x, y)
