"""The twin against tflite-micro, byte for byte: every operator at random parameters, then whole
networks.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.support.networks.oracle import tflm, tflm_tensors
from tests.support.paths import ROOT
from tests.support.tflite.cases import OPERATORS, relaxed
from tests.support.tflite.factory import Affine, Factory, Window
from tests.support.tflite.networks import networks
from tests.support.tflite.once_wrong import ONCE_WRONG
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import Differentiable
from tinyrobust.models.rungs.twin.predictor import TwinPredictor
from tinyrobust.models.tflite.reader import read_graph

pytestmark = pytest.mark.slow

FAILED = ROOT / ".hypothesis" / "operators"
MLPERF_TINY = ["ad01_int8", "kws_ref_model", "pretrainedResnet_quant", "vww_96_int8"]


def agree(case):
    q = case.samples(4)
    raw = TwinPredictor(case.tflite, case.spec).predict(q).raw
    np.testing.assert_array_equal(raw, tflm(case.tflite, case.fed(q)), err_msg=str(case))


def agree_on_many(operator, number):
    """Cases that once failed, ones that failed when this was last run, and ``number`` random
    ones.
    """
    failed = DirectoryBasedExampleDatabase(
        FAILED / operator
    )  # ``agree`` alone does not say of which
    check = settings(relaxed, max_examples=number, database=failed)(
        given(OPERATORS[operator])(agree)
    )
    for case in ONCE_WRONG.get(operator, ()):
        check = example(case)(check)
    check()


@pytest.mark.parametrize("operator", OPERATORS)
def test_operator_is_bit_exact(operator):
    agree_on_many(operator, 6)


@pytest.mark.deep
@pytest.mark.parametrize("operator", OPERATORS)
def test_operator_is_bit_exact_at_many_parameters(operator):
    agree_on_many(operator, 400)


@settings(relaxed, max_examples=8)
@given(networks())
def test_network_is_bit_exact(case):
    agree(case)


def test_sums_beyond_float32_are_exact():
    """Sums near 2**26 that the bias brings back to -100..100, one level each: float32 would drop
    their last bits.
    """
    depth, unit = 2100, 0.01 * 0.01
    weights = np.full((1, depth), 127, np.int8)
    weights[0, 0] = 1
    q = np.full((201, depth), 127, np.int8)
    q[:, 0] = np.arange(-100, 101)
    bias = np.array([-127 * 255 * (depth - 1) - 128], np.int32)
    f = Factory()
    x = f.input((1, depth), Affine(0.01, -128))
    tflite = f.build(x, f.fully_connected(x, weights, [0.01], bias, Affine(unit)))
    raw = TwinPredictor(tflite).predict(q).raw
    np.testing.assert_array_equal(raw[:, 0], np.arange(-100, 101))
    np.testing.assert_array_equal(raw, tflm(tflite, q))


def test_one_channel_does_not_depend_on_what_ran_before():
    """TensorFlow once took the oneDNN primitive of a 1x1 convolution with a bias for a depthwise
    one of one channel.
    """
    q, one = np.full((1, 1, 1, 1), 7, np.int8), np.ones((1, 1, 1, 1), np.int8)
    f = Factory()
    x = f.input((1, 1, 1, 1), Affine(0.1))
    models = (
        f.build(x, f.conv_2d(x, one, [0.5], np.array([3], np.int32), Window((1, 1)), Affine(0.1))),
        f.build(x, f.depthwise_conv_2d(x, one, [0.5], None, Window((1, 1)), Affine(0.1))),
        f.build(x, f.average_pool_2d(x, Window((1, 1)))),
    )
    for tflite in models:
        twin = TwinPredictor(tflite)
        for _ in range(2):  # the first call of a graph is not optimized
            np.testing.assert_array_equal(twin.predict(q).raw, tflm(tflite, q))


def mlperf_tiny(name: str) -> bytes:
    if "BENCH_DATA" not in os.environ:
        pytest.skip("BENCH_DATA is not set")
    return (Path(os.environ["BENCH_DATA"]) / "mlperf_tiny" / f"{name}.tflite").read_bytes()


def smooth_and_rough(shape: tuple[int, ...], n: int) -> np.ndarray:
    """Half noise, half slow drifts: the networks' ranges are made for correlated inputs."""
    steps = np.random.default_rng(0).integers(-128, 128, (n, *shape), np.int8)
    drift = np.clip(np.cumsum(steps[: n // 2] // 16, axis=1), -128, 127).astype(np.int8)
    return np.concatenate([drift, steps[n // 2 :]])


@pytest.mark.parametrize("name", MLPERF_TINY)
def test_mlperf_tiny_is_bit_exact(name):
    twin = TwinPredictor(mlperf_tiny(name))
    q = smooth_and_rough(twin.input.shape, 8)
    raw = twin.predict(q).raw
    np.testing.assert_array_equal(raw, tflm(mlperf_tiny(name), q))
    assert len(np.unique(raw, axis=0)) > 1, "inputs that all give the same answer prove nothing"


@pytest.mark.parametrize("name", MLPERF_TINY)
def test_mlperf_tiny_is_bit_exact_at_every_layer(name):
    tflite = mlperf_tiny(name)
    twin = TwinPredictor(tflite)
    q = smooth_and_rough(twin.input.shape, 2)
    outputs = [op.outputs[0] for op in read_graph(tflite).operators]
    for n, sample in enumerate(q):
        for ours, theirs in zip(twin.layers(q), tflm_tensors(tflite, sample, outputs), strict=True):
            np.testing.assert_array_equal(ours[n], theirs.reshape(-1))


def small_network() -> bytes:
    rng = np.random.default_rng(0)
    f = Factory()
    x = f.input((1, 6, 6, 2), Affine(1 / 128))
    w = rng.integers(-127, 128, (4, 3, 3, 2), np.int8)
    y = f.conv_2d(x, w, [0.01], None, Window((3, 3), same=True), Affine(0.1, -128), "RELU")
    y = f.mean(y, Affine(0.05, -128))
    y = f.fully_connected(y, rng.integers(-127, 128, (3, 4), np.int8), [0.01], None, Affine(0.1))
    return f.build(x, f.softmax(y))


def test_batches_of_any_size_give_the_same_bytes():
    twin = TwinPredictor(small_network())
    q = smooth_and_rough(twin.input.shape, 300)
    whole = twin.predict(q).raw
    np.testing.assert_array_equal(
        whole, np.concatenate([twin.predict(q[:7]).raw, twin.predict(q[7:]).raw])
    )
    assert twin.predict(q[:0]).raw.shape == (0, 3)
    assert isinstance(twin, Differentiable)


def test_predicted_logits_are_the_dequantized_bytes():
    twin = TwinPredictor(small_network())
    got = twin.predict(smooth_and_rough(twin.input.shape, 4))
    np.testing.assert_array_equal(got.logits, (got.raw.astype(np.float32) + 128) / 256)


@pytest.mark.parametrize("q", [np.zeros((1, 6, 6, 3), np.int8), np.zeros((1, 6, 6, 2), np.float32)])
def test_wrong_inputs_are_refused(q):
    with pytest.raises(UsageError, match="twin: input is"):
        TwinPredictor(small_network()).predict(q)
