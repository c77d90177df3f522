"""Networks whose layers each have their own widths lower bit for bit, and widths that nobody takes
are refused.
"""

import numpy as np
import pytest

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.export.lower import lower
from tinyrobust.models.keras.batchnorm import copy_folded
from tinyrobust.models.keras.quantizers import (
    W4,
    LayerBits,
    depthwise,
    heterogeneous,
    ternary_weights,
    weights,
)
from tinyrobust.models.keras.tf import keras
from tinyrobust.models.networks import digits_deep, published, resnet8
from tinyrobust.models.rungs import oracle, parity
from tinyrobust.models.rungs.predictors import KerasPredictor, TflmPredictor

pytestmark = pytest.mark.slow
needs_oracle = pytest.mark.skipif(
    oracle.unavailable() is not None, reason=str(oracle.unavailable())
)

NETWORKS = {
    "digits": (
        digits_deep,
        {"conv2": LayerBits(ternary_weights, 5), "logits": LayerBits(weights(3))},
    ),
    "resnet8": (resnet8, {"s1a": LayerBits(weights(2), 3), "s1_add": LayerBits(activations=6)}),
    "ds_cnn": (
        published.DS_CNN,
        {"conv2": LayerBits(depthwise(6), 7), "conv9": LayerBits(activations=5)},
    ),
    "mlp": (published.MLP_S2, dict(published.MLP_S2_BITS.layers)),
}


def widths(model):
    kernels = {}
    for layer in model.layers:
        quantizer = getattr(layer, "kernel_quantizer_internal", None) or getattr(
            layer, "depthwise_quantizer_internal", None
        )
        if quantizer is not None:
            kernels[layer.name] = (
                quantizer.bits,
                layer.outbound_nodes[0].outbound_layer.quantizer.bits,
            )
    return kernels


@needs_oracle
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.deep if name == "ds_cnn" else ()) for name in NETWORKS],
)
def test_every_layer_has_its_own_widths_and_lowers_bit_for_bit(name):
    network, layers = NETWORKS[name]
    keras.utils.set_random_seed(0)
    full = network.build_float()
    rng = np.random.default_rng(0)  # livelier than initial weights, whose logits hardly leave 0
    for w in full.trainable_weights:
        if "gamma" in w.name or "beta" in w.name:
            w.assign(rng.normal(1.5 if "gamma" in w.name else 0.3, 0.3, w.shape))
        elif name == "digits" and "kernel" in w.name:
            w.assign(2 * w)
    bits = heterogeneous("mixed", W4, **layers)
    qat, plain = network.build_qat(bits), widths(network.build_qat(W4))
    changed = {layer: both for layer, both in widths(qat).items() if both != plain[layer]}
    for layer, (kernel, activation) in changed.items():
        own = layers[layer]
        assert kernel == (own.weights().bits if own.weights else plain[layer][0])
        assert activation == (own.activations or plain[layer][1])
    assert set(changed) == {layer for layer in layers if layer in plain}
    copy_folded(full, qat)
    spec = TensorSpec(tuple(full.input_shape[1:]), 1 / 128, 0)
    q = np.random.default_rng(0).integers(-128, 128, (8, *spec.shape)).astype(np.int8)
    tflm = TflmPredictor(lower(qat, spec))
    try:
        result = parity.compare(KerasPredictor(qat, "qat", spec), tflm, tflm.output, q)
        assert result.exact, str(result)
        assert len(np.unique(tflm.predict(q).raw)) > 4, "constant outputs prove nothing"
    finally:
        tflm.close()


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ({"conv9": LayerBits(weights(2))}, "network digits_odd has no layer conv9"),
        (
            {"logits": LayerBits(activations=4)},
            "the grid after layer logits of digits_odd is fixed",
        ),
    ],
)
def test_widths_that_no_layer_takes_are_refused(layers, reason):
    with pytest.raises(UsageError, match=reason):
        digits_deep.build_qat(heterogeneous("odd", W4, **layers))
