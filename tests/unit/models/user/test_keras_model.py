"""Keras and QKeras files of others: what is calibrated on what, what is exact, what is refused and
by which name.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyrobust.core.errors import GateFailed, UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.data.download import bench_data
from tinyrobust.models.export.lower import lower
from tinyrobust.models.keras.files.load import is_quantized, load_float, load_keras
from tinyrobust.models.keras.qdense_batchnorm import QDenseBatchnorm
from tinyrobust.models.keras.quantizers import (
    TERNARY,
    W4,
    activation,
    bias_quantizer,
    signed,
    weights,
)
from tinyrobust.models.keras.tf import keras
from tinyrobust.models.networks.digits_deep import build_qat
from tinyrobust.models.rungs import oracle, parity
from tinyrobust.models.rungs.predictors import KerasPredictor, TflmPredictor
from tinyrobust.models.user.data import _spec_of
from tinyrobust.models.user.model import open_files

from qkeras import QActivation, QDense  # isort: skip  (after tinyrobust.models.keras.tf)

pytestmark = pytest.mark.slow
needs_oracle = pytest.mark.skipif(
    oracle.unavailable() is not None, reason=str(oracle.unavailable())
)
L = keras.layers
KINDS = (".h5", ".keras", "")
RNG = np.random.default_rng(0)


def plain():
    keras.utils.set_random_seed(0)
    layers = [
        L.Conv2D(4, 3, activation="relu", name="conv"),
        L.Flatten(),
        L.Dense(3, activation="softmax", name="out"),
    ]
    return keras.Sequential([L.Input((6, 6, 1)), *layers])


def quantized(end=True):
    keras.utils.set_random_seed(0)
    x = inputs = L.Input((6,), name="image")
    x = QDense(8, kernel_quantizer=weights(4)(), bias_quantizer=bias_quantizer(), name="hidden")(x)
    x = QActivation(activation(4, 2), name="relu")(x)
    x = QDense(3, kernel_quantizer=weights(4)(), bias_quantizer=bias_quantizer(), name="last")(x)
    return keras.Model(inputs, QActivation(signed(3), name="grid")(x) if end else x, name="q")


def npz(path, x, y=None):
    np.savez(path, **({"x": x} if y is None else {"x": x, "y": y}))
    return path


@needs_oracle
@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_model_is_calibrated_on_rows_that_are_not_evaluated(tmp_path, kind):
    model = tmp_path / f"m{kind}"
    plain().save(model)
    x = RNG.uniform(0, 1, (400, 6, 6, 1)).astype(np.float32)
    said = []
    ladder = open_files(
        model, None, npz(tmp_path / "d.npz", x, np.arange(400) % 3), tmp_path / "cache", said.append
    )
    assert [rung.rung for rung in ladder.rungs] == ["float32", "twin", "tflm"]
    assert len(ladder.test.q) == 320
    assert any(
        "40 of 400 samples calibrate, 40 others check the export, the remaining 320 are" in s
        for s in said
    )
    assert {"m: conv: ", "m: out: "} <= {f"{': '.join(s.split(': ')[:2])}: " for s in said}
    logits = ladder.rungs[0].predict(ladder.test.q).logits
    assert np.median(np.abs(logits - ladder.rungs[-1].predict(ladder.test.q).logits)) < 0.02
    assert ladder.test.labels.tolist() != sorted(ladder.test.labels.tolist()), (
        "labels follow their rows"
    )


@needs_oracle
def test_a_plain_model_with_int16_activations_on_pixels(tmp_path):
    plain().save(tmp_path / "m.h5")
    data = npz(tmp_path / "d.npz", RNG.integers(0, 256, (60, 6, 6, 1)).astype(np.uint8))
    ladder = open_files(
        tmp_path / "m.h5", None, data, tmp_path / "cache", lambda _: None, "int16x8"
    )
    assert ladder.bundle.input == TensorSpec((6, 6, 1), 1.0, -128)
    full, twin, tflm = (rung.predict(ladder.test.q).logits for rung in ladder.rungs)
    assert np.array_equal(twin, tflm)
    assert np.median(np.abs(full - tflm)) < 0.02 * full.std(), "weights are in int8"


@needs_oracle
@pytest.mark.parametrize("kind", KINDS)
def test_a_qkeras_model_is_lowered_as_it_is(tmp_path, kind):
    model = build_qat(TERNARY)
    model.save(tmp_path / f"m{kind}")
    x = RNG.uniform(-1, 1, (30, 8, 8, 1)).astype(np.float32)
    ladder = open_files(
        tmp_path / f"m{kind}", None, npz(tmp_path / "d.npz", x), tmp_path / "cache", lambda _: None
    )
    assert [rung.rung for rung in ladder.rungs] == ["qat", "twin", "tflm"]
    assert ladder.bundle.tflite == lower(model, ladder.bundle.input), "loading has changed nothing"
    assert ladder.unavailable == (("float32", "no float model given (--float)"),)
    assert "agree in every output byte" in ladder.notes[0]


@needs_oracle
def test_a_network_that_ends_without_a_grid_gets_one_and_is_told(tmp_path):
    quantized(end=False).save(tmp_path / "m.h5")
    said = []
    data = npz(tmp_path / "d.npz", RNG.uniform(-1, 1, (50, 6)).astype(np.float32))
    ladder = open_files(tmp_path / "m.h5", None, data, tmp_path / "cache", said.append)
    assert any(s.startswith("layer last ends the network without a QActivation") for s in said)
    exact = parity.compare(ladder.rungs[0], ladder.rungs[-1], ladder.bundle.output, ladder.test.q)
    assert exact.exact, str(exact)
    output = ladder.bundle.output
    whole = np.clip(
        load_keras(tmp_path / "m.h5")(ladder.bundle.input.dequantize(ladder.test.q)),
        output.low,
        output.high,
    )
    assert (
        np.abs(ladder.rungs[0].predict(ladder.test.q).logits - whole).max()
        <= output.scale / 2 + 1e-6
    )


@needs_oracle
def test_an_export_below_the_floor_fails_with_the_layers_that_differ(tmp_path, monkeypatch):
    import tinyrobust.models.user.keras_model

    monkeypatch.setattr(tinyrobust.models.user.keras_model, "FLOOR", 1.0)
    keras.utils.set_random_seed(0)
    x = inputs = L.Input((6,), name="image")
    x = QDense(
        3,
        kernel_quantizer="quantized_bits(3,0,1,alpha=1.0)",
        bias_quantizer=bias_quantizer(),
        name="last",
    )(x)
    keras.Model(inputs, QActivation("quantized_bits(8,0,0,alpha=1.0)", name="even")(x)).save(
        tmp_path / "m.h5"
    )
    said = []
    data = npz(tmp_path / "d.npz", RNG.integers(-128, 128, (300, 6)).astype(np.float32) / 128)
    with pytest.raises(GateFailed, match="every byte must agree"):
        open_files(tmp_path / "m.h5", None, data, tmp_path / "cache", said.append)
    assert any(s.startswith("m: layer even: ") for s in said)
    assert any(
        s == "m: even: rounds half to even in QKeras, half away from zero on the chip" for s in said
    )


@needs_oracle
def test_qdense_batchnorm_is_folded_and_lowered_bit_for_bit(tmp_path):
    keras.utils.set_random_seed(0)
    x = inputs = L.Input((6,), name="image")
    layer = QDenseBatchnorm(
        4, kernel_quantizer=weights(4)(), bias_quantizer=bias_quantizer(), name="dense"
    )
    model = keras.Model(inputs, QActivation(signed(3), name="grid")(layer(x)))
    shapes = [w.shape for w in layer.get_weights()]
    assert len(shapes) == 7, "as in the files: kernel, bias, four of the norm, a counter"
    norm = layer.batchnorm
    norm.set_weights(
        [RNG.uniform(0.5, 2, 4), RNG.normal(0, 1, 4), RNG.normal(0, 1, 4), RNG.uniform(0.5, 2, 4)]
    )
    kernel, bias = layer.get_folded_weights()
    real = RNG.uniform(-1, 1, (5, 6)).astype(np.float32)
    np.testing.assert_allclose(
        real @ kernel + bias, norm(real @ layer.kernel + layer.bias), rtol=1e-5, atol=1e-6
    )
    model.save(tmp_path / "m.h5")
    again = load_keras(tmp_path / "m.h5")
    np.testing.assert_array_equal(again(real), model(real))
    spec = TensorSpec((6,), 1 / 128, 0)
    tflm = TflmPredictor(lower(again, spec))
    q = RNG.integers(-128, 128, (200, 6)).astype(np.int8)
    try:
        result = parity.compare(KerasPredictor(model, "qat", spec), tflm, tflm.output, q)
    finally:
        tflm.close()
    assert result.exact, str(result)


@pytest.mark.parametrize("kind", KINDS)
def test_a_compiled_and_trained_model_loads_with_all_its_weights(tmp_path, kind):
    """Adam's configuration and its moments are no layers.

    A block is used twice, once as at inference.
    """
    keras.utils.set_random_seed(0)
    x = inputs = L.Input((6, 6, 2))
    block = keras.Sequential(
        [L.Conv2D(2, 3, padding="same"), L.BatchNormalization(), L.ReLU()], name="block"
    )
    x = L.Concatenate()([block(x), block(block(x), training=False)])
    frozen = L.Dense(4, activation="tanh", kernel_regularizer="l2", kernel_constraint="max_norm")
    frozen.trainable = False
    model = keras.Model(inputs, L.Dense(3, activation="softmax")(frozen(L.Flatten()(x))))
    model.compile(
        keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    real = RNG.normal(0, 1, (16, 6, 6, 2)).astype(np.float32)
    model.fit(real, np.arange(16) % 3, verbose=0)
    model.save(tmp_path / f"m{kind}")
    again = load_keras(tmp_path / f"m{kind}")
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    np.testing.assert_array_equal(again(real), model(real))


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequential_model_of_old_files_loads(tmp_path, kind):
    """Without an InputLayer in the description, whose first layer has the shape."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([L.Dense(3, activation="elu", input_shape=(5,)), L.Dense(2)])
    model.save(tmp_path / f"m{kind}")
    if kind == ".h5":
        import h5py

        with h5py.File(tmp_path / "m.h5", "r+") as file:
            layers = json.loads(file.attrs["model_config"])["config"]["layers"][1:]
            layers[0]["config"]["batch_input_shape"] = [None, 5]
            file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": layers})
    x = RNG.normal(0, 1, (4, 5)).astype(np.float32)
    np.testing.assert_array_equal(load_keras(tmp_path / f"m{kind}")(x), model(x))


@pytest.fixture
def published():
    root = bench_data()
    if root is None:
        pytest.skip("BENCH_DATA is unset: the hls4ml models are not here")
    return root / "hls4ml_qkeras"


@needs_oracle
def test_rn07_runs_and_every_layer_that_differs_is_explained(published, tmp_path):
    # Its own draw: how many predictions agree is near the floor, and depends on the samples.
    draw = np.random.default_rng(0)
    x = draw.integers(0, 256, (400, 32, 32, 3)).astype(np.float32) / 255
    said = []
    ladder = open_files(
        published / "RN07_model_best.h5",
        None,
        npz(tmp_path / "d.npz", x),
        tmp_path / "cache",
        said.append,
    )
    assert [rung.rung for rung in ladder.rungs] == ["qat", "twin", "tflm"]
    assert any("layer q_dense ends the network without a QActivation" in s for s in said)
    assert any("rounds half to even in QKeras" in s for s in said)


def test_ad08_is_refused_for_its_last_layer(published, tmp_path):
    data = npz(tmp_path / "d.npz", RNG.normal(0, 1, (30, 64)).astype(np.float32))
    with pytest.raises(
        UsageError, match=r"^layer q_dense \(QDense\): the weights of channel 0 lie on no .* 8 bits"
    ):
        open_files(published / "AD08_model.h5", None, data, tmp_path / "cache", lambda _: None)


@keras.utils.register_keras_serializable("theirs")
class Mystery(L.Layer):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_layer_and_code_are_refused_by_the_layers_name(tmp_path, kind):
    for name, layer, reason in (
        ("odd", Mystery(name="odd"), r"layer odd \((theirs>)?Mystery\).* neither Keras nor QKeras"),
        ("code", L.Lambda(lambda t: t * 2, name="code"), "layer code is a Lambda layer"),
    ):
        inputs = L.Input((3,))
        keras.Model(inputs, L.Dense(2)(layer(inputs))).save(tmp_path / f"{name}{kind}")
        with pytest.raises(UsageError, match=reason):
            load_keras(tmp_path / f"{name}{kind}")


def test_folders_and_baselines_that_do_not_fit_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        UsageError, match=r"empty: a folder without saved_model\.pb is no SavedModel"
    ):
        load_keras(tmp_path / "empty")
    (tmp_path / "empty" / "saved_model.pb").write_bytes(b"x")
    with pytest.raises(
        UsageError, match=r"a SavedModel without keras_metadata\.pb has no Keras layers"
    ):
        load_keras(tmp_path / "empty")
    plain().save(tmp_path / "p.h5")
    build_qat(W4).save(tmp_path / "q.h5")
    assert is_quantized(load_keras(tmp_path / "q.h5"))
    with pytest.raises(UsageError, match="it has QKeras layers; the float baseline"):
        load_float(tmp_path / "q.h5")
    data = npz(tmp_path / "d.npz", RNG.uniform(0, 1, (9, 6, 6, 1)).astype(np.float32))
    with pytest.raises(UsageError, match="is its own float baseline"):
        open_files(tmp_path / "p.h5", tmp_path / "p.h5", data, tmp_path, lambda _: None)
    few = npz(tmp_path / "few.npz", np.zeros((2, 6, 6, 1), np.float32))
    with pytest.raises(UsageError, match="2 samples; one to calibrate"):
        open_files(tmp_path / "p.h5", None, few, tmp_path, lambda _: None)
    with pytest.raises(UsageError, match=r"q\.h5: a QKeras model has its own activations"):
        open_files(tmp_path / "q.h5", None, data, tmp_path, lambda _: None, "int16x8")
    with pytest.raises(UsageError, match="nowhere: no such file, nor a data set"):
        open_files(tmp_path / "p.h5", None, Path("nowhere"), tmp_path, lambda _: None)


LIMITS = st.tuples(*[st.floats(-1e6, 1e6, width=32)] * 2)


@given(LIMITS, st.booleans())
def test_calibration_values_fit_their_input_grid(limits, power_of_two):
    x = np.array(sorted(limits), np.float32)
    spec = _spec_of(x, np.arange(2), (1,), power_of_two)
    assert -128 <= spec.zero_point <= 127
    assert spec.low - spec.scale <= x.min()
    assert x.max() <= spec.high + 1.001 * spec.scale
    if power_of_two:
        assert np.frexp(spec.scale)[0] == 0.5
        assert spec.zero_point in (0, -128)


CHILD = """
import sys
from pathlib import Path
from tinyrobust.core.errors import UsageError
from tinyrobust.models.keras.files.load import load_keras
for path in map(Path, sys.argv[1:]):
    print(path.name, flush=True)
    try:
        load_keras(path)
    except UsageError as err:
        assert "\\n" not in str(err), repr(str(err))
        assert str(path) in str(err)
"""


@pytest.mark.parametrize(
    ("kind", "part"),
    [*((kind, "saved_model.pb") for kind in KINDS), (KINDS[-1], "keras_metadata.pb")],
)
@pytest.mark.parametrize("files", [8, pytest.param(48, marks=pytest.mark.deep)])
def test_corrupted_files_are_one_line_or_load(tmp_path, kind, part, files):
    """In a child process: HDF5 and TensorFlow are C, and a crash there would be nobody's
    exception.
    """
    whole = tmp_path / f"whole{kind}"
    plain().save(whole)
    target = whole / part if whole.is_dir() else whole
    data, paths = target.read_bytes(), []
    rng = np.random.default_rng(1)
    for i in range(files):
        broken = bytearray(data)
        if i % 3 == 0:
            del broken[int(rng.integers(len(data))) :]
        else:
            for at in rng.integers(0, len(data) if i % 3 == 1 else min(2048, len(data)), 4):
                broken[at] = int(rng.integers(256))
        path = tmp_path / f"{i}{kind}"
        if whole.is_dir():
            path.mkdir()
            for file in ("saved_model.pb", "keras_metadata.pb"):
                (path / file).write_bytes(broken if file == part else (whole / file).read_bytes())
        else:
            path.write_bytes(broken)
        paths.append(str(path))
    made = subprocess.run(
        [sys.executable, "-c", CHILD, *paths], capture_output=True, text=True, timeout=300
    )
    assert made.returncode == 0, f"{made.stdout.splitlines()[-1:]}: {made.stderr[-400:]}"
    assert len(made.stdout.split()) == len(paths)


def test_a_hostile_description_is_refused_unbuilt(tmp_path):
    import h5py

    for name, config in (
        ("deep", "[" * 100_000),
        ("number", "7"),
        ("none", json.dumps({"class_name": "Sequential"})),
    ):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            if len(config) < 60_000:
                file.attrs["model_config"] = config
            else:
                file.attrs.create("model_config", config.encode(), dtype=h5py.string_dtype())
        with pytest.raises(UsageError, match=f"{name}.h5"):
            load_keras(tmp_path / f"{name}.h5")
