"""S3's penalty weighs every layer's Jacobian by how many outputs the layer really has."""

import math

import pytest

from tinyrobust.models.networks.s3_cnn import CLASSES, build_float
from tinyrobust.models.training.recipes import per_layer


def test_each_layers_weight_is_divided_by_its_outputs():
    model = build_float()
    penalty = per_layer(0.01, share=0.25)
    assert (penalty.strength, penalty.share) == (0.0, 0.25)
    for layer in penalty.layers:
        outputs = math.prod(model.get_layer(layer.output).output_shape[1:])
        assert layer.weight == pytest.approx(0.01 * CLASSES / outputs)


def test_layers_follow_one_another_from_the_image_to_the_logits():
    layers = per_layer(0.01).layers
    convolutions = [f"relu{i}" for i in range(1, 7)]
    assert [layer.input for layer in layers] == ["image", *convolutions[:-1], "flatten"]
    assert [layer.output for layer in layers] == [*convolutions, "logits"]
