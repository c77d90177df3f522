"""Every field of every operator's record, for models whose every dimension is another number."""

import numpy as np
import pytest

from tests.support.tflite.factory import Affine, Factory, Window
from tinyrobust.core.abi import layout
from tinyrobust.core.abi import plan as plan_layout
from tinyrobust.core.abi.plan import Kind
from tinyrobust.models.plan import fixed_point
from tinyrobust.models.plan.compiler import compile_plan
from tinyrobust.models.plan.reader import read_plan

IN, OUT = Affine(0.05, -3), Affine(0.1, 4)
WINDOW = Window((3, 2), (2, 1), (1, 3), same=True)
GEOMETRY = {
    "in_h": 7,
    "in_w": 9,
    "k_h": 3,
    "k_w": 2,
    "out_h": 4,
    "out_w": 9,
    "stride_h": 2,
    "stride_w": 1,
    "pad_h": 1,
    "pad_w": 1,
    "dilation_h": 1,
    "dilation_w": 3,
}
ONE_PIXEL = dict.fromkeys(GEOMETRY, 1) | {"pad_h": 0, "pad_w": 0}


def compiled(build, shape, wide=False, q=IN):
    """The plan of one operator, its record."""
    f = Factory(wide)
    x = f.input(shape, q)
    plan = read_plan(compile_plan(f.build(x, build(f, x))).data)
    (record,) = plan.records
    return plan, record


def has(record, **expected):
    assert {name: getattr(record, name) for name in expected} == expected


def ints(*shape):
    return np.random.default_rng(0).integers(-127, 128, shape, np.int8)


def scaling(plan, record, scales, x=IN, out=OUT):
    """Whether the record's factors are TFLite's for ``scales``."""
    expected = [
        fixed_point.conv_multiplier(*(float(np.float32(s)) for s in (x.scale, w, out.scale)))
        for w in scales
    ]
    n = len(scales)
    assert plan.constant(record.multiplier, np.int32, n).tolist() == [m.q31 for m in expected]
    assert plan.constant(record.shift, np.int32, n).tolist() == [m.shift for m in expected]


def test_convolution():
    weights, bias, scales = (
        ints(5, 3, 2, 4),
        np.arange(5, dtype=np.int32) - 2,
        [0.01, 0.02, 0.03, 0.04, 0.05],
    )
    plan, conv = compiled(
        lambda f, x: f.conv_2d(x, weights, scales, bias, WINDOW, OUT, "RELU"), (1, 7, 9, 4)
    )
    has(conv, **GEOMETRY, in_c=4, out_c=5, input_offset=3, output_offset=4, act_min=4, act_max=127)
    has(conv, input=plan.header.input_offset)
    has(
        conv.head,
        kind=Kind.CONV_2D_S8,
        op=0,
        output=plan.header.output_offset,
        output_bytes=4 * 9 * 5,
    )
    np.testing.assert_array_equal(plan.constant(conv.weights, np.int8, 5, 3, 2, 4), weights)
    assert plan.constant(conv.bias, np.int32, 5).tolist() == bias.tolist()
    scaling(plan, conv, scales)


def test_one_scale_for_all_channels_is_written_for_each():
    plan, conv = compiled(
        lambda f, x: f.conv_2d(x, ints(3, 1, 1, 2), [0.02], None, Window(), OUT), (1, 2, 2, 2)
    )
    scaling(plan, conv, [0.02] * 3)
    assert plan.constant(conv.bias, np.int32, 3).tolist() == [0, 0, 0]


def test_depthwise_convolution():
    weights, bias, scales = (
        ints(1, 3, 2, 6),
        np.arange(6, dtype=np.int32),
        [0.01, 0.02, 0.03, 0.04, 0.05, 0.06],
    )
    plan, conv = compiled(
        lambda f, x: f.depthwise_conv_2d(x, weights, scales, bias, WINDOW, OUT), (1, 7, 9, 2)
    )
    has(
        conv,
        **GEOMETRY,
        in_c=2,
        out_c=6,
        ch_mult=3,
        input_offset=3,
        output_offset=4,
        act_min=-128,
        act_max=127,
    )
    has(conv.head, kind=Kind.DEPTHWISE_CONV_2D_S8, output_bytes=4 * 9 * 6)
    np.testing.assert_array_equal(plan.constant(conv.weights, np.int8, 1, 3, 2, 6), weights)
    assert plan.constant(conv.bias, np.int32, 6).tolist() == bias.tolist()
    scaling(plan, conv, scales)


@pytest.mark.parametrize("wide", [False, True])
def test_dense(wide):
    x, out = (Affine(0.01), Affine(0.02)) if wide else (IN, OUT)
    weights, bias = ints(3, 7), np.array([5, -6, 7], np.int64 if wide else np.int32)
    plan, dense = compiled(
        lambda f, y: f.fully_connected(y, weights, [0.02], bias, out, "RELU"), (1, 7), wide, x
    )
    factor = fixed_point.conv_multiplier(
        *(float(np.float32(s)) for s in (x.scale, 0.02, out.scale))
    )
    has(dense, depth=7, out_c=3, multiplier=factor.q31, shift=factor.shift)
    has(dense, input_offset=-x.zero_point, output_offset=out.zero_point)
    has(dense, act_min=out.zero_point, act_max=32767 if wide else 127)
    has(
        dense.head,
        kind=Kind.FULLY_CONNECTED_S16 if wide else Kind.FULLY_CONNECTED_S8,
        output_bytes=6 if wide else 3,
    )
    np.testing.assert_array_equal(plan.constant(dense.weights, np.int8, 3, 7), weights)
    assert plan.constant(dense.bias, bias.dtype.type, 3).tolist() == [5, -6, 7]


def test_dense_with_a_scale_per_output_is_a_convolution_over_one_pixel():
    plan, conv = compiled(
        lambda f, x: f.fully_connected(x, ints(2, 7), [0.1, 0.2], None, OUT), (1, 7)
    )
    has(conv, **ONE_PIXEL, in_c=7, out_c=2, input_offset=3, output_offset=4)
    has(conv.head, kind=Kind.CONV_2D_S8, output_bytes=2)
    scaling(plan, conv, [0.1, 0.2])


@pytest.mark.parametrize(
    ("bias", "stated", "kind"),
    [
        (np.int32, None, Kind.CONV_2D_S16_B32),
        (np.int64, None, Kind.CONV_2D_S16),
        (None, None, Kind.CONV_2D_S16),
        (None, 2, Kind.CONV_2D_S16_B32),
        (None, 4, Kind.CONV_2D_S16),
    ],
)
def test_convolution_on_int16_accumulates_in_the_type_of_its_bias(bias, stated, kind):
    """Without a bias, in the type that the options name (2 is INT32, 4 INT64)."""

    def build(f, x):
        values = None if bias is None else np.array([5, -6], bias)
        y = f.conv_2d(x, ints(2, 1, 1, 3), [0.1], values, Window(), Affine(0.02))
        if stated is not None:
            f.operators[0].builtinOptions.quantizedBiasType = stated
        return y

    plan, conv = compiled(build, (1, 2, 2, 3), wide=True, q=Affine(0.01))
    has(conv.head, kind=kind, output_bytes=2 * 2 * 2 * 2)
    dtype = np.int32 if kind is Kind.CONV_2D_S16_B32 else np.int64
    assert plan.constant(conv.bias, dtype, 2).tolist() == ([0, 0] if bias is None else [5, -6])


@pytest.mark.parametrize(
    ("wide", "shift", "kind"), [(False, 20, Kind.ADD_S8), (True, 15, Kind.ADD_S16)]
)
def test_add(wide, shift, kind):
    x, mid, out = (Affine(0.05, 0 if wide else z) for z in (-3, -5, 6))
    mid, out = Affine(0.03, mid.zero_point), Affine(0.09, out.zero_point)
    f = Factory(wide)
    source = f.input((1, 3, 5, 2), x)
    tflite = f.build(source, f.add(source, f.quantize(source, mid), out, "RELU"))
    plan = read_plan(compile_plan(tflite).data)
    quantize, add = plan.records
    a, b, c = (float(np.float32(q.scale)) for q in (x, mid, out))
    p = fixed_point.add_params(a, b, c, shift)
    has(
        add,
        input1=plan.header.input_offset,
        input2=quantize.head.output,
        count=30,
        left_shift=shift,
    )
    has(
        add,
        input1_offset=-x.zero_point,
        input2_offset=-mid.zero_point,
        output_offset=out.zero_point,
    )
    has(add, input1_multiplier=p.input1.q31, input1_shift=p.input1.shift)
    has(add, input2_multiplier=p.input2.q31, input2_shift=p.input2.shift)
    has(add, output_multiplier=p.output.q31, output_shift=p.output.shift)
    has(add, act_min=out.zero_point, act_max=32767 if wide else 127)
    has(
        add.head,
        kind=kind,
        op=1,
        bytes=layout.size(plan_layout.Add),
        output_bytes=60 if wide else 30,
    )
    m = fixed_point.quantize_multiplier(a / b)
    has(quantize, input=plan.header.input_offset, count=30, multiplier=m.q31, shift=m.shift)
    has(quantize, input_zero_point=x.zero_point, output_zero_point=mid.zero_point)
    has(quantize.head, kind=Kind.QUANTIZE_S16 if wide else Kind.QUANTIZE_S8)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("name", ["average_pool_2d", "max_pool_2d"])
def test_pools(name, wide):
    q = Affine(0.05) if wide else IN
    window = Window((3, 2), (2, 1), same=True)
    plan, pool = compiled(lambda f, x: getattr(f, name)(x, window, "RELU"), (1, 7, 9, 4), wide, q)
    has(
        pool,
        in_h=7,
        in_w=9,
        channels=4,
        k_h=3,
        k_w=2,
        out_h=4,
        out_w=9,
        stride_h=2,
        stride_w=1,
        pad_h=1,
        pad_w=0,
    )
    has(pool, act_min=q.zero_point, act_max=32767 if wide else 127, input=plan.header.input_offset)
    has(
        pool.head,
        kind=Kind[f"{name.upper()}_{'S16' if wide else 'S8'}"],
        output_bytes=4 * 9 * 4 * (1 + wide),
    )


@pytest.mark.parametrize("axes", [(1, 2), (2, 1), (-3, -2), (1, -2)])
def test_mean_over_height_and_width_however_they_are_named(axes):
    def build(f, x):
        y = f.mean(x, OUT, keep_dims=True)
        f.buffers[f.tensors[1].buffer].data = np.frombuffer(
            np.array(axes, np.int32).tobytes(), np.uint8
        )
        return y

    plan, mean = compiled(build, (1, 3, 5, 4))
    m = fixed_point.mean_multiplier(float(np.float32(IN.scale)), float(np.float32(OUT.scale)), 15)
    has(
        mean,
        in_h=3,
        in_w=5,
        channels=4,
        input_zero_point=-3,
        output_zero_point=4,
        multiplier=m.q31,
        shift=m.shift,
    )
    has(mean.head, kind=Kind.MEAN_S8, output_bytes=4)
    has(mean, input=plan.header.input_offset)


def test_pad_of_four_dimensions_and_of_fewer():
    plan, pad = compiled(lambda f, x: f.pad(x, [(0, 0), (1, 2), (3, 4), (5, 6)]), (1, 2, 3, 4))
    has(
        pad,
        in_dims=(1, 2, 3, 4),
        before=(0, 1, 3, 5),
        after=(0, 2, 4, 6),
        value=-3,
        input=plan.header.input_offset,
    )
    has(pad.head, kind=Kind.PAD_S8, output_bytes=5 * 10 * 15)
    _, pad = compiled(lambda f, x: f.pad(x, [(0, 0), (1, 2), (3, 4)]), (1, 2, 3))
    has(pad, in_dims=(1, 1, 2, 3), before=(0, 0, 1, 3), after=(0, 0, 2, 4))


def test_softmax():
    plan, softmax = compiled(lambda f, x: f.softmax(x, 0.5), (1, 2, 3, 5))
    p = fixed_point.softmax_params(float(np.float32(IN.scale)), 0.5)
    has(
        softmax,
        rows=6,
        row_size=5,
        multiplier=p.multiplier.q31,
        shift=p.multiplier.shift,
        diff_min=p.diff_min,
    )
    has(softmax, input=plan.header.input_offset)
    has(softmax.head, kind=Kind.SOFTMAX_S8, output_bytes=30)


def test_softmax_tables_are_kept_once():
    f = Factory(wide=True)
    x = f.input((1, 2, 3), Affine(0.001))
    plan = read_plan(
        compile_plan(f.build(x, f.softmax(f.quantize(f.softmax(x, 0.5), Affine(0.01))))).data
    )
    first, _, second = plan.records
    m = fixed_point.softmax_table_multiplier(float(np.float32(0.001)), 0.5)
    has(first, rows=2, row_size=3, multiplier=m.q31, shift=m.shift, input=plan.header.input_offset)
    assert (first.exponential, first.reciprocal) == (second.exponential, second.reciprocal)
    assert first.exponential != first.reciprocal
    table = plan.constant(first.reciprocal, np.int16, plan_layout.TABLE_ENTRIES)
    assert table[0] > table[-1]


def test_reshape_shares_the_place_of_its_input():
    plan, reshape = compiled(lambda f, x: f.reshape(x, (1, 12)), (1, 2, 3, 2))
    has(reshape, input=plan.header.input_offset)
    has(reshape.head, kind=Kind.RESHAPE, output=plan.header.input_offset, output_bytes=12)
