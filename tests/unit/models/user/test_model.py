import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.support.tflite.factory import Affine, Factory, Window
from tests.support.tflite.small import SHAPE, small_tflite
from tinyrobust.core.errors import UsageError
from tinyrobust.core.grid import input_grid, own_grid
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.rungs import oracle
from tinyrobust.models.user.data import finer_npz, load_npz
from tinyrobust.models.user.model import open_files

SPEC = TensorSpec((4, 4, 1), 0.5, 3)
X = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)


def save(tmp_path, **arrays):
    path = tmp_path / "d.npz"
    np.savez(path, **arrays)
    return path


def test_pixels_are_shifted_and_labels_kept(tmp_path):
    d = load_npz(save(tmp_path, x=X, y=np.array([1, 0])), SPEC, 2)
    np.testing.assert_array_equal(d.q.reshape(2, -1), X.reshape(2, -1).astype(int) - 128)
    assert d.labels.tolist() == [1, 0]
    assert d.q.shape == (2, 4, 4, 1)


def test_int8_is_taken_as_it_is(tmp_path):
    x = X.astype(np.int8)[..., None] - 100
    np.testing.assert_array_equal(load_npz(save(tmp_path, x=x), SPEC, 2).q, x)


def test_real_values_land_on_the_input_grid_and_saturate(tmp_path):
    x = np.zeros((1, 4, 4), np.float32)
    x[0, 0] = [1.0, -1.5, 1e6, -1e6]
    d = load_npz(save(tmp_path, x=x), SPEC, 2)
    assert d.q[0, 0, :, 0].tolist() == [5, 0, 127, -128]
    assert d.q[0, 1, 0, 0] == 3
    assert d.labels.tolist() == [-1]


def bad(x, at, value):
    x = x.astype(np.float64)
    x[at] = value
    return x


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"y": np.zeros(2, int)}, "no array 'x'"),
        ({"x": X[:0]}, "at least one sample"),
        ({"x": X[:, :3]}, "the model takes"),
        ({"x": X.astype(np.int32)}, "x is int32"),
        ({"x": bad(X, (1, 2, 3), np.nan)}, r"x\[1, 2, 3\] is not a finite number"),
        ({"x": bad(X, (0, 0, 0), np.inf)}, r"x\[0, 0, 0\] is not a finite number"),
        ({"x": X, "y": np.array([0, 2])}, r"y\[1\] is 2; the model has classes 0 to 1"),
        ({"x": X, "y": np.array([-1, 0])}, r"y\[0\] is -1"),
        ({"x": X, "y": np.array([0.0, 1.0])}, "y is float64"),
        ({"x": X, "y": np.array([0])}, "2 whole numbers"),
        ({"x": np.array([{}])}, "plain numbers"),
    ],
)
def test_bad_data_are_refused_in_one_line(tmp_path, arrays, reason):
    with pytest.raises(UsageError, match=reason) as err:
        load_npz(save(tmp_path, **arrays), SPEC, 2)
    assert str(err.value).startswith(str(tmp_path / "d.npz"))
    assert "\n" not in str(err.value)


def test_a_header_that_promises_too_much_is_refused_unread(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (1 << 40,)}
    )
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("x.npy", header.getvalue())
    with pytest.raises(UsageError, match="plain numbers of at most"):
        load_npz(tmp_path / "d.npz", SPEC, 2)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip at all"])
def test_what_is_no_npz_is_refused(tmp_path, content):
    (tmp_path / "d.npz").write_bytes(content)
    with pytest.raises(UsageError, match="not a readable"):
        load_npz(tmp_path / "d.npz", SPEC, 2)


def tflite():
    f = Factory()
    x = f.input((1, 4, 4, 1), Affine(0.5, 3))
    y = f.reshape(f.max_pool_2d(x, Window((2, 2), (2, 2))), (1, 4))
    return f.build(x, y)


@pytest.mark.parametrize(("values", "low"), [(0.0, 0.0), (-1.0, -1.0)])
def test_an_int16_model_is_fed_256_levels_from_0_on_or_around_it(tmp_path, values, low):
    (tmp_path / "m.tflite").write_bytes(small_tflite(wide=True))
    said = []
    data = save(tmp_path, x=np.full((3, *SHAPE), values))
    ladder = open_files(tmp_path / "m.tflite", None, data, tmp_path / "cache", said.append)
    spec = ladder.bundle.input
    assert {rung.input for rung in ladder.rungs} == {spec}
    assert (spec.dtype, ladder.bundle.grid.dtype) == ("int8", "int16")
    assert (spec.low, spec.high) == (
        pytest.approx(low, abs=0.01),
        pytest.approx(ladder.bundle.grid.high),
    )
    assert said == [f"m.tflite: int16 input, the 256 levels of the data span {low:.4g} to 1"]
    answers = [rung.predict(ladder.test.q).raw for rung in ladder.rungs]
    assert all(raw.dtype == np.int16 and np.array_equal(raw, answers[0]) for raw in answers)


def files(tmp_path, **arrays):
    (tmp_path / "m.tflite").write_bytes(tflite())
    return tmp_path / "m.tflite", save(tmp_path, **arrays)


def test_a_foreign_model_becomes_a_ladder(tmp_path):
    model, data = files(tmp_path, x=X, y=np.array([3, 0]))
    ladder = open_files(model, None, data, tmp_path / "cache", lambda _: None)
    assert ladder.name == "m"
    assert {"float32", "qat"} <= {rung for rung, _ in ladder.unavailable}
    assert ladder.bundle.ops == ("MAX_POOL_2D", "RESHAPE")
    expected = X.reshape(2, 2, 2, 2, 2).max(axis=(2, 4)).reshape(2, 4).astype(int) - 128
    for rung in ladder.rungs:
        np.testing.assert_array_equal(rung.predict(ladder.test.q).raw, expected)
    here = oracle.unavailable() is None
    assert [rung.rung for rung in ladder.rungs] == ["twin", "tflm"][: 1 + here]
    assert (ladder.bundle.tflm_arena_bytes is not None) == here


@pytest.mark.parametrize("missing", ["m.tflite", "d.npz"])
def test_a_missing_file_is_named(tmp_path, missing):
    model, data = files(tmp_path, x=X)
    (tmp_path / missing).unlink()
    with pytest.raises(UsageError, match=f"{missing}: no such file"):
        open_files(model, None, data, tmp_path, lambda _: None)


def test_a_model_that_is_none_is_named_by_its_file(tmp_path):
    model, data = files(tmp_path, x=X)
    model.write_bytes(bytes(64))
    with pytest.raises(UsageError, match=r"m\.tflite: no TFL3 identifier"):
        open_files(model, None, data, tmp_path, lambda _: None)


@pytest.mark.parametrize("name", ["f.h5", "f.keras", "f.txt", "folder"])
def test_a_float_model_that_is_none_is_refused(tmp_path, name):
    model, data = files(tmp_path, x=X)
    path = tmp_path / name
    path.mkdir() if name == "folder" else path.write_bytes(b"nothing")
    with pytest.raises(UsageError, match=name):
        open_files(model, path, data, tmp_path, lambda _: None)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_code_in_a_float_model_is_never_run(tmp_path, suffix):
    from tinyrobust.models.keras.tf import keras

    trap = tmp_path / "trap"
    inputs = keras.layers.Input((4, 4, 1))
    x = keras.layers.Lambda(eval(f"lambda t: [open({str(trap)!r}, 'w').close(), t * 2][1]"))(inputs)
    keras.Model(inputs, keras.layers.Flatten()(x)).save(tmp_path / f"f{suffix}")
    trap.unlink(missing_ok=True)
    model, data = files(tmp_path, x=X)
    with pytest.raises(UsageError, match="Lambda"):
        open_files(model, tmp_path / f"f{suffix}", data, tmp_path, lambda _: None)
    assert not trap.exists()


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_float_model_loses_its_softmax_and_must_fit_the_input(tmp_path, suffix):
    from tinyrobust.models.keras.tf import keras

    rng = np.random.default_rng(0)
    for shape in ((4, 4, 1), (5,)):
        dense = keras.layers.Dense(4, activation="softmax")
        net = keras.Sequential([keras.layers.Input(shape), keras.layers.Flatten(), dense])
        net.save(tmp_path / f"f{len(shape)}{suffix}")
    model, data = files(tmp_path, x=rng.integers(0, 256, (3, 4, 4), np.uint8))
    ladder = open_files(model, tmp_path / f"f3{suffix}", data, tmp_path, lambda _: None)
    logits = ladder.rungs[0].predict(ladder.test.q).logits
    assert ladder.rungs[0].rung == "float32"
    assert np.abs(logits.sum(axis=1) - 1).min() > 1e-3
    with pytest.raises(UsageError, match=r"takes \(5,\)"):
        open_files(model, tmp_path / f"f1{suffix}", data, tmp_path, lambda _: None)


def int16_points(tmp_path):
    x = np.zeros((2, 4, 4), np.int16)
    x[0, 0] = [0, 1, 128, 32767]
    return save(tmp_path, x=x)


WIDE = TensorSpec((4, 4, 1), 1 / 32767, 0, "int16")


def test_points_of_an_int16_input_come_as_they_are_on_its_own_grid_and_rounded_on_256_levels(
    tmp_path,
):
    path, coarse = int16_points(tmp_path), input_grid(WIDE)
    fine = own_grid(coarse, WIDE)
    assert load_npz(path, fine, 2, WIDE).q[0, 0, :, 0].tolist() == [0, 1, 128, 32767]
    assert load_npz(path, coarse, 2, WIDE).q[0, 0, :, 0].tolist() == [-128, -128, -127, 127]
    with pytest.raises(UsageError, match=r"int16 for a \.tflite of int16 input"):
        load_npz(path, SPEC, 2, SPEC)


def test_what_has_8_bits_is_not_read_again_and_what_is_finer_is(tmp_path):
    fine = own_grid(input_grid(WIDE), WIDE)
    assert finer_npz(save(tmp_path, x=X), fine, 2, WIDE) is None
    assert finer_npz(Path("cifar10"), fine, 2, WIDE) is None
    real = np.full((1, 4, 4), 0.3, np.float32)
    assert (finer_npz(save(tmp_path, x=real), fine, 2, WIDE).q == round(0.3 * 32767)).all()
