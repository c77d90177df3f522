"""Every recipe is the published network, and what is committed is what its card says."""

import json

import numpy as np
import pytest

from tinyrobust.core.errors import UsageError
from tinyrobust.models.data.cifar10 import SPEC
from tinyrobust.models.export.lower import lower
from tinyrobust.models.keras.batchnorm import copy_folded
from tinyrobust.models.keras.quantizers import BINARY, TERNARY, W2, W4, W8
from tinyrobust.models.keras.tf import keras, tf
from tinyrobust.models.networks import digits_deep, resnet8, s3_cnn
from tinyrobust.models.rungs import parity
from tinyrobust.models.rungs.predictors import KerasPredictor, TflmPredictor
from tinyrobust.models.training import weight_files
from tinyrobust.models.training.recipes import RECIPES, recipe
from tinyrobust.models.training.trainer import learning_phase

pytestmark = pytest.mark.slow


def _randomized(model, seed=0):
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            n = layer.gamma.shape[0]
            layer.set_weights(
                [rng.uniform(0.5, 1.5, n), *rng.normal(0, 0.3, (2, n)), rng.uniform(0.5, 2, n)]
            )
    return model


def _macs(model):
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            total += int(np.prod(layer.output_shape[1:3])) * int(np.prod(layer.kernel.shape))
        elif isinstance(layer, keras.layers.Dense):
            total += int(np.prod(layer.kernel.shape))
    return total


def test_resnet8_is_mlperf_tinys():
    model = resnet8.build_float()
    assert model.count_params() == 78_666
    assert _macs(model) == 12_501_632


def test_s3_size():
    model = s3_cnn.build_float()
    assert _macs(model) == 19_170_240
    assert (
        sum(int(np.prod(w.shape)) for w in model.trainable_weights if "kernel" in w.name) == 204_576
    )


@pytest.mark.parametrize("build", [resnet8.build_float, s3_cnn.build_float])
def test_folding_changes_nothing(build):
    keras.utils.set_random_seed(0)
    full = _randomized(build())
    plain = _without_norms(full)
    copy_folded(full, plain)
    x = tf.random.uniform((4, 32, 32, 3), -1, 1)
    np.testing.assert_allclose(plain(x), full(x, training=False), atol=2e-5)


def _without_norms(model):
    made = {model.input.name: model.input}
    for layer in model.layers[1:]:
        inputs = [made[t.name] for t in tf.nest.flatten(layer.input)]
        config = layer.get_config()
        if "use_bias" in config:
            config["use_bias"] = True
        out = inputs[0]
        if not isinstance(layer, keras.layers.BatchNormalization):
            out = type(layer).from_config(config)(inputs if len(inputs) > 1 else inputs[0])
        made[layer.output.name] = out
    return keras.Model(model.input, made[model.output.name])


def test_eight_bits_with_a_spare_one_before_signed_grids_are_what_is_flashed():
    result = _parity(resnet8, resnet8.EIGHT)
    assert result.exact, str(result)


MANY = [pytest.param(bits, marks=pytest.mark.deep) for bits in (W2, BINARY)]
"""Small networks lower with every quantizer in test_lower.py."""


@pytest.mark.parametrize("bits", [W4, TERNARY, *MANY], ids=lambda b: b.name)
@pytest.mark.parametrize("module", [resnet8, s3_cnn])
def test_what_is_trained_is_what_is_flashed(module, bits):
    result = _parity(module, bits)
    assert result.exact, str(result)


@pytest.mark.parametrize("module", [resnet8, pytest.param(s3_cnn, marks=pytest.mark.deep)])
def test_eight_bits_within_one_level(module):
    result = _parity(module, W8)
    assert result.worst <= 1
    assert result.equal > 0.9


def _parity(module, bits):
    keras.utils.set_random_seed(0)
    qat = module.build_qat(bits)
    copy_folded(_randomized(module.build_float()), qat)
    tflm = TflmPredictor(lower(qat, SPEC))
    q = np.random.default_rng(0).integers(-128, 128, (20, *SPEC.shape)).astype(np.int8)
    try:
        return parity.compare(KerasPredictor(qat, "qat", SPEC), tflm, tflm.output, q)
    finally:
        tflm.close()


def test_stochastic_weights_are_random_only_in_training():
    model = digits_deep.build_qat(TERNARY)
    x = tf.random.uniform((3, 8, 8, 1), -1, 1)
    with learning_phase():
        a, b = model(x, training=True), model(x, training=True)
    assert np.any(a.numpy() != b.numpy())
    np.testing.assert_array_equal(model(x, training=False), model(x, training=False))


COMMITTED = sorted(p.stem for p in weight_files.FOLDER.glob("*.npz"))


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_weights_are_complete(name):
    path = weight_files.FOLDER / f"{name}.npz"
    card = weight_files.card(name)
    model = recipe(name).build()
    weight_files.load(name, model)
    assert path.stat().st_size < 1_000_000
    assert (card.name, card.parameters, card.seed) == (
        name,
        model.count_params(),
        recipe(name).plan.seed,
    )
    assert card.low < card.test_accuracy < card.high
    assert recipe(name).start is None or recipe(name).start in COMMITTED


@pytest.mark.parametrize("name", [n for n in COMMITTED if n.startswith("digits-")])
def test_a_card_tells_the_accuracy_of_its_weights(name):
    model = recipe(name).build()
    weight_files.load(name, model)
    splits = recipe(name).task.splits()
    got = (
        KerasPredictor(model, "qat", recipe(name).task.spec)
        .predict(splits.test.q)
        .logits.argmax(axis=1)
    )
    assert np.mean(got == splits.test.labels) == pytest.approx(
        weight_files.card(name).test_accuracy, abs=1 / 500
    )


def test_unknown_missing_and_foreign_weights_are_one_line(tmp_path):
    with pytest.raises(UsageError, match="no recipe 'resnet9'"):
        recipe("resnet9")
    model = RECIPES["digits-float"].build()
    with pytest.raises(UsageError, match="no such weights"):
        weight_files.load("digits-float", model, tmp_path)
    np.savez(tmp_path / "digits-float.npz", w0=np.zeros(3))
    with pytest.raises(UsageError, match="not the weights of"):
        weight_files.load("digits-float", model, tmp_path)
    (tmp_path / "digits-float.npz").write_bytes(b"PK\x03\x04 truncated")
    with pytest.raises(UsageError, match="not the weights of"):
        weight_files.load("digits-float", model, tmp_path)
    (tmp_path / "digits-float.json").write_text(json.dumps({"name": "x"}))
    with pytest.raises(UsageError, match="no model card"):
        weight_files.card("digits-float", tmp_path)
