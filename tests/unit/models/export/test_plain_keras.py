"""Plain Keras networks through TFLiteConverter: the input grid, what calibrates, and how
agreement is judged.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from tests.support.levels import levels
from tinyrobust.core.errors import GateFailed, UsageError
from tinyrobust.core.grid import table
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.data.digits import CLASS_NAMES, SPEC
from tinyrobust.models.data.digits import digits as digits_data
from tinyrobust.models.data.splits import Splits, dataset
from tinyrobust.models.export.converter import Activations, converted
from tinyrobust.models.export.plain_keras import PRECISIONS, quantized
from tinyrobust.models.keras.tf import keras
from tinyrobust.models.networks.digits_cnn import build_float
from tinyrobust.models.plan.compiler import compile_plan
from tinyrobust.models.rungs import oracle
from tinyrobust.models.rungs.quantization_noise import explained, layer_noise
from tinyrobust.models.tflite.reader import read_graph
from tinyrobust.models.training import weight_files

pytestmark = pytest.mark.slow
needs_oracle = pytest.mark.skipif(
    oracle.unavailable() is not None, reason=str(oracle.unavailable())
)
L = keras.layers
PTQ = PRECISIONS[0]


def small(*layers, shape=(6, 6, 2), seed=0):
    keras.utils.set_random_seed(seed)
    x = inputs = L.Input(shape, name="image")
    for layer in layers or (
        L.Conv2D(4, 3, activation="relu", name="c"),
        L.Flatten(name="f"),
        L.Dense(3, name="d"),
    ):
        x = layer(x)
    return keras.Model(inputs, x, name="small")


samples = partial(levels, 8, (6, 6, 2))


@pytest.mark.parametrize(
    ("scale", "zero_point"), [(1 / 128, 0), (1.0, -128), (1 / 255, -128), (0.0371, 17)]
)
def test_an_int8_input_is_on_the_input_grid_though_calibration_is_not_that_wide(scale, zero_point):
    spec = TensorSpec((6, 6, 2), scale, zero_point)
    plan = compile_plan(converted(small(), spec, samples(low=-20, high=20), Activations.INT8))
    assert (plan.input.shape, plan.input.zero_point) == (spec.shape, zero_point)
    assert plan.input.scale == pytest.approx(scale, rel=1e-6)


def test_an_int16_input_is_256_times_finer_than_the_input_grid():
    graph = read_graph(
        converted(small(), TensorSpec((6, 6, 2), 1 / 128, 0), samples(), Activations.INT16)
    )
    for i in (*graph.inputs, *graph.outputs):
        assert graph.tensors[i].tflite_type == 7, "TensorType.INT16"
        assert graph.tensors[i].zero_points.tolist() == [0]
    assert graph.tensors[graph.inputs[0]].scales[0] == 1 / 32768
    weights = [t for t in graph.tensors if t.data is not None and len(t.shape) > 1]
    assert {t.tflite_type for t in weights} == {9}, "TensorType.INT8"
    assert max(t.scales.size for t in weights) == 4, "one scale per output channel"


@pytest.mark.parametrize("zero_point", [-128, -3, 127])
def test_an_int16_input_holds_every_level_of_an_input_grid_that_is_not_symmetric(zero_point):
    spec = TensorSpec((6, 6, 2), 1.0, zero_point)
    graph = read_graph(converted(small(), spec, samples(), Activations.INT16))
    grid = graph.tensors[graph.inputs[0]]
    assert (float(grid.scales[0]), grid.zero_points.tolist()) == (1 / 128, [0])
    points = table(spec, TensorSpec((6, 6, 2), 1 / 128, 0, "int16"))
    assert points.tolist() == [128 * (q - zero_point) for q in range(-128, 128)]


def test_only_calibration_data_shape_the_export(tmp_path):
    spec = TensorSpec((6, 6, 2), 1 / 128, 0)

    def sha(calibration, *others):
        parts = [
            dataset(str(i), samples(seed=s), np.zeros(8, np.int64))
            for i, s in enumerate((*others, calibration))
        ]
        splits = Splits(parts[0], parts[1], parts[3], parts[2])
        ladder = quantized(
            "s",
            small(),
            spec,
            splits,
            ("0", "1", "2"),
            replace(PTQ, floor=0),
            tmp_path,
            lambda _: None,
        )
        return ladder.bundle.sha256

    assert sha(1, 2, 3, 4) == sha(1, 5, 6, 7)
    assert sha(1, 2, 3, 4) != sha(8, 2, 3, 4)


@pytest.fixture(scope="module")
def digits_float():
    model = build_float()
    weight_files.load("digits-float", model)
    return model


@needs_oracle
def test_digits_survive_quantization_and_a_floor_they_miss_fails_the_export(digits_float, tmp_path):
    said = []
    data = digits_data()
    ladder = quantized(
        "digits-ptq", digits_float, SPEC, data, CLASS_NAMES, PTQ, tmp_path, said.append
    )
    assert [rung.rung for rung in ladder.rungs] == ["float32", "twin", "tflm"]
    assert [rung for rung, _ in ladder.unavailable] == ["qat"]
    assert any(line.startswith("digits-ptq: conv1: ") for line in said)
    assert ladder.bundle.input == SPEC
    twin, tflm = (rung.predict(data.test.q[:50]).raw for rung in ladder.rungs[1:])
    np.testing.assert_array_equal(twin, tflm)
    with pytest.raises(GateFailed, match=r"float32 and tflm agree in .* of predictions") as err:
        quantized(
            "d",
            digits_float,
            SPEC,
            data,
            CLASS_NAMES,
            replace(PTQ, floor=1.0),
            tmp_path,
            lambda _: None,
        )
    assert err.value.exit_code == 1


@needs_oracle
def test_noise_is_told_layer_by_layer_and_saturation_is_named(digits_float):
    q = digits_data().calibration.q
    sound = layer_noise(
        digits_float, converted(digits_float, SPEC, q, Activations.INT8), SPEC, q[:16]
    )
    assert [one.layer for one in sound] == ["conv1", "conv2", "conv3", "pool", "flatten", "logits"]
    assert all(one.sqnr > 35 and one.saturated < 0.01 for one in sound)
    assert "rounding onto its own grid" in explained(sound)
    dark = np.full_like(q, -128)  # its corner pixels apart, calibration has seen no ink
    narrow = layer_noise(
        digits_float, converted(digits_float, SPEC, dark, Activations.INT8), SPEC, q[:16]
    )
    assert max(one.saturated for one in narrow) > 0.1
    assert "outside the range that calibration saw" in explained(narrow)


def test_what_the_chip_has_no_operator_for_is_refused_by_its_name():
    model = small(L.Conv2D(2, 3, activation="tanh"), L.Flatten())
    with pytest.raises(UsageError, match="TANH"):
        compile_plan(
            converted(model, TensorSpec((6, 6, 2), 1 / 128, 0), samples(), Activations.INT8)
        )
