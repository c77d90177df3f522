"""Operators without weights that do not fit are refused, each with its reason."""

import numpy as np
import pytest

from tests.support.networks.plan_models import IN, OUT, model, refused, shaped
from tests.support.tflite.factory import Affine, Factory, Ref, Window
from tinyrobust.core.abi.plan import MAX_COUNT_S16, MAX_SOFTMAX_ROW


@pytest.mark.parametrize("channels", [3, 5, 1, 300])
def test_a_mean_has_as_many_outputs_as_channels(channels):
    tflite = model(lambda f, x: f.mean(x, OUT), (1, 2, 3, 4), change=shaped(2, [1, channels]))
    assert f"its output has {channels} elements for 4 channels" in refused(tflite)


@pytest.mark.parametrize(
    "axes", [(1,), (2,), (0, 1), (1, 3), (2, 2), (1, 2, 3), (-1, -2), (-4, 1), (5, 2)]
)
def test_a_mean_over_anything_but_height_and_width_is_refused(axes):
    def change(f):
        f.tensors[1].shape = [len(axes)]
        f.buffers[f.tensors[1].buffer].data = np.frombuffer(
            np.array(axes, np.int32).tobytes(), np.uint8
        )

    assert f"it reduces axes {list(axes)}" in refused(
        model(lambda f, x: f.mean(x, OUT), change=change)
    )


def test_a_wide_mean_counts_as_many_elements_as_its_sum_bears():
    """On int8 it may count more than fit into any message, on int16 it may not."""
    for count, taken in ((MAX_COUNT_S16, True), (MAX_COUNT_S16 + 1, False)):
        why = refused(model(lambda f, x: f.mean(x, OUT), (1, 1, count, 1), Affine(0.05), wide=True))
        assert (why is None) == taken
        assert taken or f"height times width is [{count}]" in why
    assert refused(model(lambda f, x: f.mean(x, OUT), (1, 256, 256, 1))) is None


def test_a_wide_pool_has_as_many_elements_in_its_window_as_its_sum_bears():
    for kernel, taken in (
        ((255, 257), True),
        ((257, 255), True),
        ((128, 512), False),
        ((512, 128), False),
    ):
        window = Window(kernel, same=True)
        why = refused(
            model(lambda f, x, w=window: f.average_pool_2d(x, w), q=Affine(0.05), wide=True)
        )
        assert (why is None) == taken
        assert taken or "its window's elements is [65536]" in why
    assert refused(model(lambda f, x: f.average_pool_2d(x, Window((256, 256), same=True)))) is None


@pytest.mark.parametrize(
    ("operator", "change", "why"),
    [
        (
            "pool",
            lambda f: setattr(f.tensors[1].quantization, "scale", [0.06]),
            "differ in scale or zero point",
        ),
        (
            "pool",
            lambda f: setattr(f.tensors[1].quantization, "zeroPoint", [-4]),
            "differ in scale or zero point",
        ),
        ("pool", shaped(1, [1, 4, 4, 3]), "its output is [1, 4, 4, 3], [1, 4, 4, 2] follows"),
        (
            "pool",
            lambda f: setattr(f.operators[0].builtinOptions, "filterHeight", 0),
            "its kernel is [0, 1]",
        ),
        (
            "pad",
            lambda f: setattr(f.tensors[1].quantization, "scale", [0.06]),
            "differ in scale or zero point",
        ),
        ("pad", shaped(1, [1, 4, 6, 4]), "its output is [1, 4, 6, 4], [1, 5, 6, 4] follows"),
        ("pad", shaped(2, [3, 2]), "tensor 2 (t2) has 32 bytes"),
        ("reshape", shaped(1, [1, 31]), "it makes 31 elements of 32"),
        ("reshape", shaped(1, [1, 33]), "it makes 33 elements of 32"),
        ("quantize", shaped(1, [1, 4, 4, 1]), "it makes 16 elements of 32"),
        ("quantize", shaped(1, [1, 4, 4, 3]), "it makes 48 elements of 32"),
        ("softmax", shaped(1, [1, 4, 2, 4]), "its shapes [1, 4, 4, 2] and [1, 4, 2, 4] differ"),
        (
            "softmax",
            lambda f: setattr(f.tensors[1].quantization, "zeroPoint", [-127]),
            "scale 1/256, zero point -128",
        ),
        (
            "softmax",
            lambda f: setattr(f.tensors[1].quantization, "scale", [1 / 255]),
            "scale 1/256, zero point -128",
        ),
    ],
)
def test_operators_without_weights_that_do_not_fit_are_refused(operator, change, why):
    build = {
        "pool": lambda f, x: f.max_pool_2d(x, Window()),
        "pad": lambda f, x: f.pad(x, [(0, 0), (1, 0), (0, 2), (1, 1)]),
        "reshape": lambda f, x: f.reshape(x, (1, 32)),
        "quantize": lambda f, x: f.quantize(x, OUT),
        "softmax": lambda f, x: f.softmax(x),
    }[operator]
    assert why in refused(model(build, change=change))


@pytest.mark.parametrize(
    "widths",
    [
        [(1, 0), (0, 0), (0, 0), (0, 0)],
        [(0, 1), (0, 0), (0, 0), (0, 0)],
        [(1, 1), (0, 0), (0, 0), (0, 0)],
    ],
)
def test_the_batch_is_not_padded(widths):
    tflite = model(lambda f, x: f.pad(x, widths), change=shaped(1, [1, 4, 4, 2]))
    assert "it pads the batch" in refused(tflite)


@pytest.mark.parametrize(
    "widths", [(0, 0, -1, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 0, 0, 65_537), (0,) * 6]
)
def test_paddings_are_two_for_each_dimension_and_in_bounds(widths):
    def change(f):
        f.tensors[2].shape = [len(widths)]
        f.buffers[f.tensors[2].buffer].data = np.frombuffer(
            np.array(widths, np.int32).tobytes(), np.uint8
        )

    tflite = model(lambda f, x: f.pad(x, [(0, 0)] * 4), change=change)
    assert f"its paddings are {list(widths)} for 4 dimensions" in refused(tflite)


@pytest.mark.parametrize(("count", "dtype"), [(9, np.int32), (8, np.int64)])
def test_lists_of_numbers_are_short_and_int32(count, dtype):
    def change(f):
        f.tensors[2].shape = [count]
        f.tensors[2].type = {np.int32: 2, np.int64: 4}[dtype]
        f.buffers[f.tensors[2].buffer].data = np.frombuffer(
            np.zeros(count, dtype).tobytes(), np.uint8
        )

    assert "a short INT32 list is supported" in refused(
        model(lambda f, x: f.pad(x, [(0, 0)] * 4), change=change)
    )


@pytest.mark.parametrize(("second", "out"), [((1, 3, 2), (1, 2, 3)), ((1, 2, 3), (1, 3, 2))])
def test_sums_are_of_equal_shapes(second, out):
    f = Factory()
    x = f.input((1, 2, 3), IN)
    y = f.reshape(x, second)
    f.add(x, y, OUT)
    f.tensors[-1].shape = list(out)
    assert f"its shapes [1, 2, 3] and {list(second)} differ" in refused(
        f.build(x, Ref(len(f.tensors) - 1, out, OUT))
    )


def test_the_longest_softmax_row():
    for row, taken in ((MAX_SOFTMAX_ROW, True), (MAX_SOFTMAX_ROW + 1, False)):
        why = refused(model(lambda f, x: f.softmax(x), (1, row)))
        assert (why is None) == taken
        assert taken or f"its rows have {row} values; from {MAX_SOFTMAX_ROW + 1} on" in why


@pytest.mark.parametrize(
    ("scale", "why"),
    [
        (1 / 32768, None),
        (1.0005 / 32768, None),
        (1.002 / 32768, "1/32768"),
        (0.998 / 32768, "1/32768"),
        (1 / 256, "1/32768"),
    ],
)
def test_a_wide_softmax_gives_scale_1_32768_within_a_thousandth(scale, why):
    def change(f):
        f.tensors[1].quantization.scale = [scale]

    found = refused(model(lambda f, x: f.softmax(x), (1, 3), Affine(0.001), True, change))
    assert found is None if why is None else why in found


def test_a_wide_softmax_bounds_beta_times_scale():
    """10 / 65535 is a factor of 1; the largest has a shift of 15, so 2**15 is too much."""
    one = 10 / 65535
    assert (
        refused(model(lambda f, x: f.softmax(x), (1, 3), Affine(0.9 * one * 2**15), True)) is None
    )
    why = refused(model(lambda f, x: f.softmax(x), (1, 3), Affine(1.1 * one * 2**15), True))
    assert "is too large" in why
    assert (
        refused(model(lambda f, x: f.softmax(x, 0.5), (1, 3), Affine(1.1 * one * 2**15), True))
        is None
    )
