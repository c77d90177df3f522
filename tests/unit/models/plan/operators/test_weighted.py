"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED that do not fit are refused, each with its
reason.
"""

import numpy as np
import pytest

from tests.support.networks.plan_models import OUT, conv, dense, model, refused, shaped
from tests.support.tflite.factory import Affine, Window
from tinyrobust.core.abi.plan import MAX_EXTENT


def depthwise(change):
    ones = np.ones((1, 3, 3, 4), np.int8)
    return model(
        lambda f, x: f.depthwise_conv_2d(x, ones, [0.1], None, Window((3, 3)), OUT), change=change
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (shaped(2, [4, 3, 6]), "its weights [4, 3, 6] do not fit 2 input channels; groups"),
        (shaped(2, [4, 3, 3, 1]), "its weights [4, 3, 3, 1] do not fit 2 input channels"),
        (shaped(2, [1, 4, 3, 3, 2]), "do not fit 2 input channels"),
        (shaped(2, [5, 3, 3, 2]), "its output is [1, 2, 2, 4], [1, 2, 2, 5] follows"),
        (shaped(2, [4, 2, 3, 2]), "its output is [1, 2, 2, 4], [1, 3, 2, 4] follows"),
        (shaped(2, [4, 3, 2, 2]), "its output is [1, 2, 2, 4], [1, 2, 3, 4] follows"),
        (shaped(0, [1, 16, 2]), "tensor 0 (t0) has shape [1, 16, 2], [1, height, width"),
        (
            lambda f: setattr(f.tensors[2].quantization, "scale", [0.1] * 4),
            "4 scales and 1 zero points",
        ),
        (
            lambda f: setattr(f.tensors[2].quantization, "scale", [0.1, 0.2]),
            "2 scales and 1 zero points",
        ),
        (lambda f: setattr(f.tensors[2].quantization, "scale", []), "0 scales and 1 zero points"),
        (
            lambda f: setattr(f.tensors[2].quantization, "scale", [0.0]),
            "a scale that is not a positive number",
        ),
        (
            lambda f: setattr(f.tensors[2].quantization, "scale", [-0.1]),
            "a scale that is not a positive number",
        ),
        (
            lambda f: setattr(f.tensors[2].quantization, "scale", [np.inf]),
            "a scale that is not a positive number",
        ),
        (
            lambda f: setattr(f.tensors[2].quantization, "zeroPoint", [-1]),
            "zero point other than 0",
        ),
        (
            lambda f: setattr(f.operators[0].builtinOptions, "dilationHFactor", 0),
            "its dilation is [0, 1]",
        ),
        (
            lambda f: setattr(f.operators[0].builtinOptions, "dilationWFactor", 2**15),
            "its dilation is [1, 32768]",
        ),
        (lambda f: setattr(f.operators[0].builtinOptions, "strideW", 0), "its stride is [1, 0]"),
        (lambda f: setattr(f.operators[0].builtinOptions, "strideH", -1), "its stride is [-1, 1]"),
        (lambda f: setattr(f.operators[0], "builtinOptionsType", 0), "its options are missing"),
        (lambda f: setattr(f.operators[0], "inputs", [0, -1]), "input 1 is missing"),
        (lambda f: setattr(f.operators[0], "outputs", [1, 1]), "already there"),
    ],
)
def test_convolutions_that_do_not_fit_are_refused(change, why):
    assert why in refused(conv(change))


def test_a_dilated_kernel_reaches_as_far_as_a_window_may():
    def dilated(by):
        window = Window((2, 1), dilation=(by, 1), same=True)
        return model(
            lambda f, x: f.conv_2d(x, np.ones((1, 2, 1, 2), np.int8), [0.1], None, window, OUT)
        )

    assert refused(dilated(MAX_EXTENT - 1)) is None
    assert f"its dilated kernel is [{MAX_EXTENT + 1}, 1]" in refused(dilated(MAX_EXTENT))


@pytest.mark.parametrize("per_channel", [[0.1, 0.2, 0.3, 0.4]])
def test_scales_per_channel_lie_along_the_outputs(per_channel):
    assert refused(conv(scales=per_channel)) is None
    why = refused(
        conv(
            lambda f: setattr(f.tensors[2].quantization, "quantizedDimension", 3),
            scales=per_channel,
        )
    )
    assert "quantized along dimension 3, 0 is supported" in why
    assert (
        refused(conv(lambda f: setattr(f.tensors[2].quantization, "quantizedDimension", 3))) is None
    )


@pytest.mark.parametrize(
    ("bias", "why"),
    [
        (np.zeros(4, np.int32), None),
        (np.zeros(3, np.int32), "its bias is INT32[3], INT32[4] is supported"),
        (np.zeros(5, np.int32), "its bias is INT32[5], INT32[4] is supported"),
        (np.zeros(4, np.int64), "its bias is INT64[4], INT32[4] is supported"),
        (np.zeros(4, np.int16), "its bias is INT16[4], INT32[4] is supported"),
    ],
)
def test_a_bias_has_one_number_for_each_channel(bias, why):
    found = refused(conv(bias=bias))
    assert found is None if why is None else why in found


def test_a_wide_depthwise_bias_is_int64():
    ones = np.ones((1, 1, 1, 2), np.int8)
    for dtype, why in ((np.int64, None), (np.int32, "its bias is INT32[2], INT64[2] is supported")):
        found = refused(
            model(
                lambda f, x, dtype=dtype: f.depthwise_conv_2d(
                    x, ones, [0.1], np.zeros(2, dtype), Window(), OUT
                ),
                q=Affine(0.01),
                wide=True,
            )
        )
        assert found is None if why is None else why in found


@pytest.mark.parametrize(
    "shape", [[3, 3, 4], [2, 3, 3, 2], [0, 3, 3, 4], [1, 3, 3, 3], [1, 3, 3, 4, 1]]
)
def test_depthwise_weights_are_one_kernel_for_a_multiple_of_the_channels(shape):
    def change(f):
        f.tensors[2].shape = shape
        if shape[-1] == 3:
            f.buffers[f.tensors[2].buffer].data = np.ones(27, np.uint8)

    assert f"its weights {shape} do not fit 2 input channels" in refused(depthwise(change))


def test_a_dense_layer_takes_one_row_of_its_depth_in_plain_weights():
    ones = np.ones((3, 8), np.int8)
    assert refused(dense(ones)) is None
    assert "do not fit an input of 8" in refused(dense(ones, change=shaped(2, [4, 6])))
    assert "do not fit an input of 8" in refused(dense(ones, change=shaped(2, [3, 2, 4])))
    assert "do not fit an input of 8" in refused(dense(ones, change=shaped(2, [24])))
    for columns in (2, 4):
        why = refused(dense(ones, change=shaped(1, [1, columns])))
        assert f"its output has {columns} elements, its weights 3 rows" in why
    shuffled = refused(
        dense(ones, change=lambda f: setattr(f.operators[0].builtinOptions, "weightsFormat", 1))
    )
    assert "its weights are shuffled" in shuffled


def test_a_dense_layer_may_have_a_longer_column_than_a_convolution():
    """Per tensor its depth is bounded by 2**16, per channel by what a convolution over one pixel
    takes.
    """
    assert refused(dense(np.ones((2, 40_000), np.int8))) is None
    why = refused(dense(np.ones((2, 40_000), np.int8), scales=[0.1, 0.2]))
    assert "its weights' shape (per channel) is [2, 40000], 1 to 32767" in why
    assert refused(dense(np.ones((2, MAX_EXTENT), np.int8), scales=[0.1, 0.2])) is None


def test_a_column_has_as_many_weights_as_cmsis_nn_counts():
    for channels, taken in ((257, True), (258, False)):
        ones = np.ones((1, 15, 17, channels), np.int8)
        window = Window((15, 17), same=True)
        why = refused(
            model(
                lambda f, x, w=ones, s=window: f.conv_2d(x, w, [0.1], None, s, OUT),
                (1, 1, 1, channels),
            )
        )
        assert (why is None) == taken
        assert taken or f"its kernel has {15 * 17 * 258} weights per output, at most 65535" in why
