import numpy as np
import pytest

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.export.fold import fold
from tinyrobust.models.export.lower import lower
from tinyrobust.models.keras.rounding import quantized_bits_away as bits_away
from tinyrobust.models.keras.rounding import quantized_relu_away as relu_away
from tinyrobust.models.keras.rounding import round_half_away
from tinyrobust.models.keras.tf import keras
from tinyrobust.models.rungs import oracle
from tinyrobust.models.rungs.parity import compare
from tinyrobust.models.rungs.parity_layers import compare_layers
from tinyrobust.models.rungs.predictors import KerasPredictor, TflmPredictor

from qkeras import (  # isort: skip
    QActivation,
    QConv2D,
    QConv2DBatchnorm,
    QDense,
    QDepthwiseConv2D,
    QDepthwiseConv2DBatchnorm,
    binary,
    quantized_bits,
    quantized_relu,
    stochastic_binary,
    stochastic_ternary,
    ternary,
)

pytestmark = pytest.mark.slow

L = keras.layers
SPEC = TensorSpec((8, 8, 3), 1 / 128, 0)
needs_oracle = pytest.mark.skipif(
    oracle.unavailable() is not None, reason=str(oracle.unavailable())
)


def bias():
    return quantized_bits(8, 2, 1, alpha=1.0)


def network(*layers, shape=(8, 8, 3), seed=0):
    """Sequential functional network with random weights, batch norm statistics and biases."""
    keras.utils.set_random_seed(seed)
    x = inputs = L.Input(shape, name="image")
    for layer in layers:
        x = layer(x)
    model = keras.Model(inputs, x, name="net")
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        for w in layer.weights:
            if "variance" in w.name:
                w.assign(rng.uniform(0.5, 2, w.shape))
            elif any(part in w.name for part in ("bias", "mean", "beta")):
                w.assign(rng.normal(0, 0.3, w.shape))
            elif "gamma" in w.name:
                w.assign(rng.uniform(0.5, 1.5, w.shape))
    return model


def head(kernel=None):
    return (
        L.Flatten(name="flat"),
        QDense(
            5,
            kernel_quantizer=kernel or quantized_bits(6, 0, 1, alpha="auto_po2"),
            bias_quantizer=bias(),
            name="d",
        ),
        QActivation(bits_away(8, 4, 0, alpha=1.0), name="logits"),
    )


KERNELS = {
    "bits2": lambda: quantized_bits(2, 0, 1, alpha="auto_po2"),
    "bits4": lambda: quantized_bits(4, 0, 1, alpha="auto_po2"),
    "bits4_fixed": lambda: quantized_bits(4, 0, 1, alpha=1.0),
    "bits7": lambda: quantized_bits(7, 0, 1, alpha="auto_po2"),
    "binary": lambda: binary(alpha="auto_po2"),
    "binary_fixed": lambda: binary(alpha=0.25),
    "ternary": lambda: ternary(alpha="auto_po2"),
    "stochastic_ternary": lambda: stochastic_ternary(alpha="auto_po2"),
    "stochastic_binary": lambda: stochastic_binary(alpha="auto_po2"),
}


def exactness(model, n=64, spec=SPEC, seed=1):
    tflite = lower(model, spec)
    tflm = TflmPredictor(tflite, "net")
    q = np.random.default_rng(seed).integers(-128, 128, (n, *spec.shape), np.int8)
    try:
        return compare(KerasPredictor(model, "qat", spec), tflm, tflm.output, q)
    finally:
        tflm.close()


@needs_oracle
@pytest.mark.parametrize("kernel", KERNELS)
def test_every_quantizer_is_lowered_bit_for_bit(kernel):
    conv = QConv2D(
        6, 3, padding="same", kernel_quantizer=KERNELS[kernel](), bias_quantizer=bias(), name="c"
    )
    depthwise = QDepthwiseConv2D(
        3, depthwise_quantizer=KERNELS[kernel](), bias_quantizer=bias(), name="w"
    )
    model = network(
        conv,
        QActivation(relu_away(4, 2), name="r1"),
        depthwise,
        QActivation(relu_away(5, 2), name="r2"),
        *head(KERNELS[kernel]()),
    )
    assert exactness(model).exact


@needs_oracle
@pytest.mark.parametrize("activations", [4, 8])
def test_eight_bit_weights_in_front_of_an_unsigned_grid_are_lowered_bit_for_bit(activations):
    def eight():
        return quantized_bits(8, 0, 1, alpha="auto_po2")

    model = network(
        QConv2D(6, 3, padding="same", kernel_quantizer=eight(), bias_quantizer=bias(), name="c"),
        QActivation(relu_away(activations, 2), name="r1"),
        QDepthwiseConv2D(3, depthwise_quantizer=eight(), bias_quantizer=bias(), name="w"),
        QActivation(relu_away(activations, 2), name="r2"),
        L.Flatten(name="flat"),
        QDense(9, kernel_quantizer=eight(), bias_quantizer=bias(), name="h"),
        QActivation(relu_away(activations, 3), name="r3"),
        QDense(
            5,
            kernel_quantizer=quantized_bits(7, 0, 1, alpha="auto_po2"),
            bias_quantizer=bias(),
            name="d",
        ),
        QActivation(bits_away(8, 4, 0, alpha=1.0), name="logits"),
    )
    assert exactness(model, n=256).exact


STRUCTURES = {
    "max_pool": lambda: [L.MaxPooling2D(2, name="p")],
    "average_pool": lambda: [
        L.AveragePooling2D(2, name="p"),
        QActivation(relu_away(5, 2), name="g"),
    ],
    "global_average": lambda: [
        L.GlobalAveragePooling2D(name="p"),
        QActivation(relu_away(5, 2), name="g"),
    ],
    "zero_padding": lambda: [L.ZeroPadding2D(((1, 2), (0, 3)), name="p")],
    "dropout": lambda: [L.Dropout(0.5, name="p")],
    "same_grid_again": lambda: [QActivation(relu_away(5, 2), name="g")],
    "strided": lambda: [
        QConv2D(
            4,
            (2, 3),
            (2, 1),
            "same",
            kernel_quantizer=KERNELS["bits4"](),
            bias_quantizer=bias(),
            name="c2",
        ),
        QActivation(relu_away(5, 2), name="g"),
    ],
    "dilated_signed": lambda: [
        QConv2D(
            4,
            3,
            dilation_rate=2,
            kernel_quantizer=KERNELS["bits4"](),
            bias_quantizer=bias(),
            name="c2",
        ),
        QActivation(bits_away(5, 2, 1, alpha=1.0), name="g"),
    ],
    "conv_batchnorm": lambda: [
        QConv2DBatchnorm(
            4, 3, kernel_quantizer=KERNELS["bits4"](), bias_quantizer=bias(), name="c2"
        ),
        QActivation(relu_away(4, 2), name="g"),
    ],
    "depthwise_batchnorm": lambda: [
        QDepthwiseConv2DBatchnorm(
            3, depthwise_quantizer=KERNELS["bits4"](), bias_quantizer=bias(), name="c2"
        ),
        QActivation(relu_away(4, 2), name="g"),
    ],
}


@needs_oracle
@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_layer_is_lowered_bit_for_bit(structure):
    conv = QConv2D(
        6, 3, padding="same", kernel_quantizer=KERNELS["bits4"](), bias_quantizer=bias(), name="c"
    )
    tail = head()[1:] if structure == "global_average" else head()
    assert exactness(
        network(conv, QActivation(relu_away(5, 2), name="r"), *STRUCTURES[structure](), *tail)
    ).exact


@needs_oracle
def test_a_residual_network_agrees_layer_by_layer():
    x = inputs = L.Input((8, 8, 3), name="image")
    conv = {"padding": "same", "bias_quantizer": bias()}
    a = QConv2D(4, 3, kernel_quantizer=KERNELS["bits4"](), name="a", **conv)(x)
    a = QActivation(relu_away(4, 1), name="a_grid")(a)
    b = QConv2D(4, 1, kernel_quantizer=KERNELS["ternary"](), name="b", **conv)(x)
    b = QActivation(bits_away(8, 1, 0, alpha=1.0), name="b_grid")(b)
    x = QActivation(relu_away(5, 2), name="sum_grid")(L.Add(name="sum")([a, b]))
    for layer in head():
        x = layer(x)
    model = keras.Model(inputs, x, name="residual")
    q = np.random.default_rng(0).integers(-128, 128, (32, 8, 8, 3), np.int8)
    layers = compare_layers(model, lower(model, SPEC), SPEC, q)
    assert [p.layer for p in layers] == ["a_grid", "b_grid", "sum_grid", "flat", "logits"]
    assert all(p.worst == 0 and p.equal == 1 for p in layers)


@needs_oracle
def test_stock_rounding_is_what_costs_the_agreement():
    def net(relu, bits):
        conv = QConv2D(6, 3, kernel_quantizer=KERNELS["bits4"](), bias_quantizer=bias(), name="c")
        _, dense, _ = head()
        return network(
            conv, QActivation(relu, name="r"), L.Flatten(), dense, QActivation(bits, name="logits")
        )

    away = exactness(net(relu_away(4, 2), bits_away(8, 4, 0, alpha=1.0)))
    even = exactness(net(quantized_relu(4, 2), quantized_bits(8, 4, 0, alpha=1.0)))
    assert away.exact
    assert not even.exact


@needs_oracle
def test_a_batch_norm_behind_a_quantized_layer_is_folded():
    conv = QConv2D(6, 3, kernel_quantizer=KERNELS["ternary"](), use_bias=False, name="c")
    model = network(
        conv, L.BatchNormalization(name="n"), QActivation(relu_away(4, 2), name="r"), *head()
    )
    result = exactness(model)
    assert result.worst <= 1
    assert result.argmax == 1


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_dequantized_weight_is_the_trained_one(kernel):
    layer = QConv2D(6, 3, kernel_quantizer=KERNELS[kernel](), bias_quantizer=bias(), name="c")
    network(layer, QActivation(relu_away(4, 2)))
    folded = fold(layer, None)
    trained = np.moveaxis(np.asarray(layer.kernel_quantizer_internal(layer.kernel)), -1, 0)
    np.testing.assert_allclose(
        folded.weights * folded.scales[:, None, None, None], trained, rtol=1e-6, atol=1e-9
    )
    units = folded.bias / (folded.scales.astype(float) / 128)
    assert np.abs(folded.integer_bias(1 / 128) - units).max() <= 0.5


def test_half_away_is_half_away():
    np.testing.assert_array_equal(
        round_half_away(np.float32([-2.5, -0.5, 0.5, 1.5, 2.4])), [-3, -1, 1, 2, 2]
    )


REFUSED = {
    "its output has no grid": [
        QConv2D(2, 3, kernel_quantizer=KERNELS["bits4"](), name="bad"),
        L.Flatten(),
    ],
    "its weights have no quantizer": [QConv2D(2, 3, name="bad"), QActivation(relu_away(4))],
    "this layer has no exact int8 form": [L.Conv2D(2, 3, name="bad"), QActivation(relu_away(4))],
    "has no exact int8 form; use": [
        QConv2D(2, 3, kernel_quantizer=KERNELS["bits4"](), name="bad"),
        QActivation("quantized_tanh(4)"),
    ],
    "8 bits or less": [
        QConv2D(2, 3, kernel_quantizer=quantized_bits(12, 0, 1, alpha=1.0), name="bad"),
        QActivation(relu_away(4)),
    ],
    "must have its input's grid": [L.AveragePooling2D(2, name="bad"), QActivation(relu_away(4))],
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_has_no_exact_form_is_refused_by_name(reason):
    with pytest.raises(UsageError, match=reason) as err:
        lower(network(*REFUSED[reason]), SPEC)
    assert str(err.value).startswith("layer bad (")
