"""Quantization-aware training with TFMOT: the input stays on the input grid, the export is close to
what was trained.
"""

import numpy as np
import pytest

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.data.digits import SPEC
from tinyrobust.models.keras.tf import keras
from tinyrobust.models.rungs import oracle
from tinyrobust.models.training.tfmot_qat import fake_quantized
from tinyrobust.models.zoo import digits_tfmot

pytestmark = pytest.mark.slow
L = keras.layers


@pytest.mark.skipif(oracle.unavailable() is not None, reason=str(oracle.unavailable()))
def test_the_digits_network_is_trained_with_fake_quantization_and_survives_export(tmp_path):
    said = []
    ladder = digits_tfmot.ladder(tmp_path, said.append)
    assert [rung.rung for rung in ladder.rungs] == ["float32", "qat", "twin", "tflm"]
    assert ladder.bundle.input == SPEC, "training never moved the input's range"
    q, labels = ladder.test.q, ladder.test.labels
    qat, tflm = (ladder.rungs[i].predict(q).logits.argmax(axis=1) for i in (1, 3))
    assert np.mean(qat == tflm) > digits_tfmot.FLOOR
    assert np.mean(tflm == labels) > 0.95
    assert any(line.startswith("digits-tfmot: quant_conv1: ") for line in said)
    again = digits_tfmot.ladder(tmp_path, lambda _: None)
    np.testing.assert_array_equal(
        again.rungs[3].predict(q).raw, ladder.rungs[3].predict(q).raw
    )  # from the cache


def test_the_copy_starts_with_the_float_weights_and_leaves_them_alone():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([L.Input((4,)), L.Dense(3, name="d")])
    before = [w.copy() for w in model.get_weights()]
    spec = TensorSpec((4,), 1 / 128, 0)
    fake = fake_quantized(model, spec)
    kernel = next(w for w in fake.trainable_weights if "kernel" in w.name)
    np.testing.assert_array_equal(kernel, before[0])
    kernel.assign(before[0] + 1)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    real = spec.dequantize(np.arange(-128, 128, dtype=np.int8).reshape(64, 4))
    on_input_grid = keras.Model(fake.inputs, fake.layers[-2].output)
    np.testing.assert_array_equal(on_input_grid(real, training=True), real)


def test_a_layer_that_tfmot_does_not_know_is_refused():
    with pytest.raises(UsageError, match="TFMOT cannot quantize it"):
        fake_quantized(
            keras.Sequential([L.Input((4, 2)), L.GRU(3, name="g")]), TensorSpec((4, 2), 1 / 128, 0)
        )
