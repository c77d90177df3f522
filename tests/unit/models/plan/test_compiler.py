import dataclasses
import hashlib
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.tflite.factory import OP, Affine, Factory, Window
from tinyrobust.core.abi import layout
from tinyrobust.core.abi import plan as plan_layout
from tinyrobust.core.abi.plan import Kind, PlanHeader
from tinyrobust.core.errors import UsageError
from tinyrobust.models.plan.compiler import compile_plan
from tinyrobust.models.tflite.reader import MAX_FILE

IN = Affine(0.05, -3)


def records(data):
    """Every record of a plan, in order."""
    at, out = layout.size(PlanHeader), []
    for _ in range(layout.unpack(PlanHeader, data[:at]).n_ops):
        head = layout.unpack(plan_layout.Head, data[at : at + layout.size(plan_layout.Head)])
        out.append(layout.unpack(plan_layout.RECORDS[Kind(head.kind)], data[at : at + head.bytes]))
        at += head.bytes
    return out


def small_net():
    rng = np.random.default_rng(0)
    f = Factory()
    x = f.input((1, 6, 6, 2), IN)
    w = rng.integers(-127, 128, (4, 3, 3, 2), np.int8)
    y = f.conv_2d(
        x,
        w,
        [0.01, 0.02, 0.03, 0.04],
        np.arange(4, dtype=np.int32),
        Window((3, 3)),
        Affine(0.1, 4),
        "RELU",
    )
    y = f.reshape(f.max_pool_2d(y, Window((2, 2), (2, 2))), (1, 16))
    y = f.fully_connected(
        y, rng.integers(-127, 128, (3, 16), np.int8), [0.02], None, Affine(0.2, 0)
    )
    return f.build(x, y)


NET = small_net()


def test_the_header_vouches_for_the_rest():
    plan = compile_plan(NET)
    n = layout.size(PlanHeader)
    header = layout.unpack(PlanHeader, plan.data[:n])
    assert header.total_bytes == len(plan.data)
    assert header.crc == zlib.crc32(plan.data[16:])
    assert header.model_sha256 == hashlib.sha256(NET).digest()
    blank = layout.pack(dataclasses.replace(header, crc=0, plan_id=bytes(32))) + plan.data[n:]
    assert hashlib.sha256(blank).hexdigest() == plan.plan_id == header.plan_id.hex()
    assert plan.ops == ("CONV_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED")
    assert plan.input.shape == (6, 6, 2)


def test_a_reshape_costs_nothing():
    pool, reshape = records(compile_plan(NET).data)[1:3]
    assert reshape.input == reshape.head.output == pool.head.output


def test_weights_are_carried_unchanged_and_aligned():
    data = compile_plan(NET).data
    conv = records(data)[0]
    expected = np.random.default_rng(0).integers(-127, 128, (4, 3, 3, 2), np.int8).tobytes()
    assert data[conv.weights : conv.weights + len(expected)] == expected
    assert np.frombuffer(data, "<i4", 4, conv.bias).tolist() == [0, 1, 2, 3]
    assert all(
        at % plan_layout.CONSTANT_ALIGN == 0
        for at in (conv.weights, conv.bias, conv.multiplier, conv.shift)
    )


def test_per_channel_dense_becomes_a_one_pixel_convolution():
    f = Factory()
    x = f.input((1, 5), IN)
    tflite = f.build(
        x, f.fully_connected(x, np.ones((2, 5), np.int8), [0.1, 0.2], None, Affine(0.3))
    )
    (conv,) = records(compile_plan(tflite).data)
    assert (conv.head.kind, conv.in_c, conv.out_c, conv.in_h, conv.k_w) == (
        Kind.CONV_2D_S8,
        5,
        2,
        1,
        1,
    )


def _one(build, shape=(1, 4, 4, 2)):
    f = Factory()
    x = f.input(shape, IN)
    return f, x, build(f, x)


def _refusal(f, x, y):
    with pytest.raises(UsageError) as err:
        compile_plan(f.build(x, y))
    assert "\n" not in str(err.value)
    return str(err.value)


def test_an_unsupported_operator_is_named_with_its_index():
    f, x, y = _one(lambda f, x: f.add(f.max_pool_2d(x, Window()), x, IN))
    f.codes[1].builtinCode = f.codes[1].deprecatedBuiltinCode = OP.TANH
    assert _refusal(f, x, y) == "model: TANH (operator 1): this operator is not supported"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda f: setattr(f.tensors[2].quantization, "zeroPoint", [1]), "zero point other than 0"),
        (
            lambda f: setattr(f.tensors[2].quantization, "scale", [float("nan")]),
            "not a positive number",
        ),
        (lambda f: setattr(f.tensors[2].quantization, "scale", [0.1, 0.2, 0.3]), "3 scales"),
        (lambda f: setattr(f.tensors[2], "type", 17), "INT4"),
        (lambda f: setattr(f.tensors[2], "shape", [4, 3, 3, 1]), "groups are not supported"),
        (lambda f: setattr(f.tensors[2], "shape", [4, 3, 2, 2]), "its output is"),
        (lambda f: setattr(f.operators[0].builtinOptions, "strideH", 0), "its stride is"),
        (lambda f: setattr(f.operators[0].builtinOptions, "padding", 7), "padding 7"),
        (
            lambda f: setattr(f.operators[0].builtinOptions, "fusedActivationFunction", 4),
            "fused activation TANH is not supported",
        ),
        (lambda f: setattr(f.operators[0], "inputs", [0]), "input 1 is missing"),
        (lambda f: setattr(f.operators[0], "inputs", [0, 99]), "name tensors"),
        (lambda f: setattr(f.operators[0], "outputs", [0]), "already there"),
        (lambda f: setattr(f.tensors[2], "buffer", 99), "names buffer 99"),
        (lambda f: setattr(f.operators[0], "opcodeIndex", 9), "names code 9"),
    ],
)
def test_what_cannot_run_exactly_is_refused_with_the_reason(change, reason):
    f, x, y = _one(
        lambda f, x: f.conv_2d(
            x, np.ones((4, 3, 3, 2), np.int8), [0.1], None, Window((3, 3)), Affine(1.0)
        )
    )
    change(f)
    assert reason in _refusal(f, x, y)


def _conv(shape, kernel, stride=1, channels=1):
    """A CONV_2D over a model input of ``shape`` with SAME padding."""
    f = Factory()
    x = f.input(shape, IN)
    window = Window(kernel, (stride, stride), same=True)
    return (
        f,
        x,
        f.conv_2d(
            x, np.zeros((channels, *kernel, shape[3]), np.int8), [0.1], None, window, Affine(1.0)
        ),
    )


def _depthwise_without_bias():
    f = Factory()
    x = f.input((1, 4, 4, 2), IN)
    y = f.depthwise_conv_2d(
        x, np.ones((1, 3, 3, 2), np.int8), [0.1], None, Window((3, 3)), Affine(1.0)
    )
    f.operators[0].inputs.append(-1)
    return f, x, y


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (
            lambda: _conv((1, 1, 32_768, 1), (1, 1)),
            "CONV_2D (operator 0): its input is [1, 32768], 1 to 32767",
        ),
        (lambda: _conv((1, 2, 2, 1), (1, 1), 32_768), "its stride is [32768, 32768], 1 to 32767"),
        (
            lambda: _conv((1, 1, 1, 1), (1, 1), 1, 32_768),
            "its number of channels is [32768], 1 to 32767",
        ),
        (
            lambda: _conv((1, 1, 1, 257), (16, 16)),
            "its kernel has 65792 weights per output, at most 65535",
        ),
        (
            lambda: _one(lambda f, x: f.max_pool_2d(x, Window((1, 1))), (1, 1, 1, 32_768)),
            "MAX_POOL_2D (operator 0): its number of channels is [32768]",
        ),
        (
            lambda: _one(lambda f, x: f.softmax(x), (1, 512)),
            "SOFTMAX (operator 0): its rows have 512 values; from 512 on int8 SOFTMAX "
            "is undefined in TFLite's kernels",
        ),
        (
            _depthwise_without_bias,
            "DEPTHWISE_CONV_2D (operator 0): its bias is the absent tensor -1",
        ),
    ],
)
def test_what_the_kernels_would_refuse_is_refused_by_the_compiler(made, reason):
    assert reason in _refusal(*made())


def test_an_accumulator_that_could_overflow_is_refused():
    weights, bias = np.full((1, 8), 127, np.int8), np.array([2**31 - 1], np.int32)
    f, x, y = _one(lambda f, x: f.fully_connected(x, weights, [0.1], bias, Affine(1.0)), (1, 8))
    assert "more than int32 holds" in _refusal(f, x, y)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"TFL3" * 4,
        bytes(64),
        b"\0\0\0\0TFL3" + bytes(64),
        NET[:200],
        NET[:-40],
        bytes(MAX_FILE + 1),
    ],
)
def test_what_is_no_model_is_refused(data):
    with pytest.raises(UsageError, match=r"^model"):
        compile_plan(data)


@settings(max_examples=400, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, len(NET) - 1), st.integers(0, 255)), min_size=1, max_size=6)
)
def test_corrupted_bytes_end_in_a_plan_or_one_line(changes):
    data = bytearray(NET)
    for at, value in changes:
        data[at] = value
    try:
        size = len(compile_plan(bytes(data)).data)
    except UsageError as err:
        size = str(err).count("\n")
    assert size == 0 or layout.size(PlanHeader) < size < 1 << 20


@given(st.binary(max_size=600))
def test_random_bytes_are_refused(data):
    with pytest.raises(UsageError):
        compile_plan(data[:4].ljust(4, b"\0") + b"TFL3" + data[4:])
