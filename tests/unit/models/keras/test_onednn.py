"""What TensorFlow computes wrongly with oneDNN (docs/tensorflow.md) is right, whoever asks for
it.
"""

import numpy as np
import pytest

from tests.support.networks.oracle import tflm
from tinyrobust.core.grid import to_model_input
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.export.converter import Activations, converted
from tinyrobust.models.keras.files.load import load_keras
from tinyrobust.models.keras.onednn import Geometry, as_written, reads_beside_its_input
from tinyrobust.models.keras.tf import keras, tf
from tinyrobust.models.rungs import oracle
from tinyrobust.models.rungs.predictors import KerasPredictor
from tinyrobust.models.rungs.twin.predictor import TwinPredictor
from tinyrobust.models.tflite.reader import read_graph
from tinyrobust.studies.tensorflow.sums import (
    OPERATORS,
    cases,
    findings,
    one_column,
    taken_for_another,
)

from qkeras import QConv2D, quantized_bits  # isort: skip  (after tinyrobust.models.keras.tf)

pytestmark = pytest.mark.slow
L = keras.layers
SHAPE = (3, 2, 1)
SPEC = TensorSpec(SHAPE, 1.0, 0)
TAPS = np.array([1, 10, 100], np.float32).reshape(1, 3, 1, 1)


@pytest.mark.parametrize("eager", [True, False])
def test_sums_of_one_channel_and_one_column_are_right(eager):
    few = one_column()[:: 1 if eager else 8]  # graphs take their time to be made
    assert len(few) > 10
    assert not list(findings(few, mended=True, eager=eager))


@pytest.mark.parametrize("operator", OPERATORS)
def test_small_sums_are_right(operator):
    assert not list(findings(cases(operator, 20), mended=True, eager=False))


@pytest.mark.deep
@pytest.mark.parametrize("eager", [True, False])
@pytest.mark.parametrize("operator", OPERATORS)
def test_many_small_sums_are_right(operator, eager):
    assert not list(findings(cases(operator, 2000, seed=1), mended=True, eager=eager))


def test_a_depthwise_convolution_of_one_channel_is_not_taken_for_another():
    assert not taken_for_another(mended=True)


def test_the_rule_is_the_shape_of_the_output():
    """Its own arithmetic of padding against that of the reference."""
    for case in cases("Conv2D", 3000):
        sides = () if isinstance(case.padding, str) else case.padding[1]
        g = Geometry(
            (None, *case.size, case.channels),
            (*case.kernel, case.channels, case.outputs),
            (1, *case.stride, 1),
            (1, *case.dilation, 1),
            case.padding if isinstance(case.padding, str) else "EXPLICIT",
            sides,
        )
        wide = case.stride[1] > 1 and case.stride[0] == 1
        assert reads_beside_its_input(g) == (wide and case.channels == 1 and case.out[1] == 1), case


@pytest.mark.parametrize("shape", [(None, None, 1), (3, None, 1), (3, 2, None), None])
def test_shapes_that_are_not_known_may_be_any(shape):
    asked = tf.TensorSpec(None if shape is None else (None, *shape), tf.float32)
    graph = tf.function(lambda x: tf.nn.conv2d(x, TAPS, (1, 2), "SAME")).get_concrete_function(
        asked
    )
    assert "float64" in dtypes(graph)


@pytest.mark.parametrize(
    ("shape", "stride"),
    [((3, 3, 1), (1, 2)), ((3, 2, 2), (1, 2)), ((3, 2, 1), (1, 1)), ((3, 2, 1), (2, 2))],
)
def test_other_convolutions_are_left_alone(shape, stride):
    taps = np.ones((1, 3, shape[2], 1), np.float32)

    def conv(x):
        return tf.nn.conv2d(x, taps, stride, "SAME")

    asked = tf.TensorSpec((None, *shape), tf.float32)
    ours = tf.function(conv).get_concrete_function(asked)
    with as_written():
        theirs = tf.function(conv).get_concrete_function(asked)
    assert [op.type for op in ours.graph.get_operations()] == [
        op.type for op in theirs.graph.get_operations()
    ]


def test_channels_first_is_right_too():
    x = np.arange(12, dtype=np.float32).reshape(2, 3, 2, 1)
    expected = tf.nn.conv2d(
        x.astype(np.float64), TAPS.astype(np.float64), (1, 2), [(0, 0), (0, 0), (1, 0), (0, 0)]
    )
    got = tf.nn.conv2d(
        x.transpose(0, 3, 1, 2), TAPS, (1, 2), [(0, 0), (0, 0), (0, 0), (1, 0)], data_format="NCHW"
    )
    np.testing.assert_array_equal(np.transpose(got, (0, 2, 3, 1)), expected)


def dtypes(function) -> set[str]:
    return {t.dtype.name for op in function.graph.get_operations() for t in op.outputs}


def network(layer, weights) -> keras.Model:
    inputs = L.Input(SHAPE, name="image")
    inner = keras.Sequential([layer], name="inner")  # layers of layers count as well
    model = keras.Model(inputs, L.Flatten(name="f")(inner(inputs)), name="net")
    layer.set_weights(weights)
    return model


def plain() -> keras.Model:
    layer = L.Conv2D(1, (1, 3), (1, 2), padding="same", activation="relu", name="c")
    return network(layer, [TAPS, np.ones(1)])


def quantized() -> keras.Model:
    bits = quantized_bits(8, 7, alpha=1.0)
    return network(
        QConv2D(1, (1, 3), (1, 2), padding="same", kernel_quantizer=bits, name="c"),
        [TAPS, np.ones(1)],
    )


@pytest.mark.parametrize(
    ("build", "suffix"),
    [(plain, ".h5"), (plain, ""), (quantized, ".keras")],
    ids=lambda v: getattr(v, "__name__", v),
)
def test_a_keras_network_of_any_file_is_right(tmp_path, build, suffix):
    path = tmp_path / f"net{suffix}"
    build().save(path)
    rung = KerasPredictor(load_keras(path), "float32", SPEC)
    q = np.random.default_rng(0).integers(0, 100, (4, *SHAPE), np.int8)
    expected = q[:, :, 0, 0] + 10.0 * q[:, :, 1, 0] + 1
    np.testing.assert_array_equal(rung.predict(q).logits, expected)
    real = tf.constant(q, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(real)
        logits = rung.logits(real)
    np.testing.assert_array_equal(logits, expected)
    np.testing.assert_array_equal(
        tape.gradient(logits, real)[..., 0], np.broadcast_to([1, 10], (4, 3, 2))
    )


@pytest.mark.parametrize("activations", Activations)
@pytest.mark.skipif(oracle.unavailable() is not None, reason=str(oracle.unavailable()))
def test_such_a_network_is_converted_as_it_is_written(activations):
    """In float64 it would have no integer form."""
    q = np.random.default_rng(0).integers(-128, 128, (8, *SHAPE)).astype(np.int8)
    model = plain()
    model.predict(q.astype(np.float32), verbose=0)
    tflite = converted(model, SPEC, q, activations)
    assert read_graph(tflite).operators[0].name.split()[0] == "CONV_2D"
    twin = TwinPredictor(tflite, SPEC)
    np.testing.assert_array_equal(
        twin.predict(q).raw, tflm(tflite, to_model_input(q, SPEC, twin._grid))
    )


def test_a_gradient_of_a_gradient_is_right():
    """The gradients of Conv2D's gradients are convolutions that TensorFlow builds by itself."""
    x = tf.constant(np.arange(12).reshape(2, 3, 2, 1), tf.float32)
    with tf.GradientTape() as outer:
        w = tf.constant(TAPS)
        outer.watch(w)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.reduce_sum(tf.nn.conv2d(x, w, (1, 2), "SAME") ** 2) / 2
        slope = tf.reduce_sum(inner.gradient(y, x))
    left, right = (float(tf.reduce_sum(x[:, :, i])) for i in (0, 1))
    outputs = left + 10 * right  # slope is their sum times (1 + 10)
    np.testing.assert_array_equal(
        np.ravel(outer.gradient(slope, w)), [11 * left + outputs, 11 * right + outputs, 0]
    )
