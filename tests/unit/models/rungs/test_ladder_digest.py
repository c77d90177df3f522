"""A ladder's identity: the same networks have the same one, another weight or another activation
has not.
"""

import dataclasses

import pytest

from tinyrobust.core.types import TensorSpec

pytestmark = pytest.mark.slow
SPEC = TensorSpec((4,), 1 / 128, 0)


def predictor(value=0.5, activation="relu"):
    from tinyrobust.models.keras.tf import keras
    from tinyrobust.models.rungs.predictors import KerasPredictor

    inputs = keras.layers.Input((4,), name="in")
    outputs = keras.layers.Dense(3, activation=activation, kernel_initializer="ones", name="out")(
        inputs
    )
    model = keras.Model(inputs, outputs, name="m")
    kernel, bias = model.get_weights()
    kernel[0, 0] = value
    model.set_weights([kernel, bias])
    return KerasPredictor(model, "float32", SPEC)


def test_digest_is_of_layers_and_weights(tmp_path):
    from tests.support.tflite.small import small_tflite
    from tinyrobust.models.plan.bundle import build
    from tinyrobust.models.rungs.ladder import Ladder

    ladder = Ladder("m", build(small_tflite(), tmp_path), (predictor(),), None, (), (), ())
    other = [
        dataclasses.replace(ladder, rungs=(one,))
        for one in (predictor(), predictor(0.25), predictor(0.5, "elu"))
    ]
    assert ladder.digest == other[0].digest
    assert len({ladder.digest, *(one.digest for one in other)}) == 3
