"""ResNet8 for CIFAR-10 as in MLPerf Tiny v1.0: 78,666 parameters and 12.5 M multiply-accumulates.

The float network has batch norms; the quantized one takes their effect in its weights and biases
(``models/keras/batchnorm.py``), so that all its scales are powers of two and the exported network
is the trained one.
"""

from __future__ import annotations

from typing import Any

from tinyrobust.models.keras.quantizers import (
    POOL_BITS,
    W8,
    Bits,
    LayerBits,
    activation,
    bias_quantizer,
    heterogeneous,
    signed,
    weights,
)
from tinyrobust.models.keras.tf import keras

from qkeras import QActivation, QConv2D, QDense  # isort: skip  (after tinyrobust.models.keras.tf)

CLASSES = 10
STAGES = (16, 32, 64)


def build_float() -> Any:
    """float32, images [n, 32, 32, 3] in [-1, 1) to logits [n, 10]."""
    layers = keras.layers

    def conv(x: Any, name: str, filters: int, size: int = 3, strides: int = 1) -> Any:
        return layers.Conv2D(
            filters, size, strides, padding="same", kernel_initializer="he_normal", name=name
        )(x)

    def norm(x: Any, name: str) -> Any:
        return layers.BatchNormalization(name=f"{name}_norm")(x)

    def relu(x: Any, name: str) -> Any:
        return layers.ReLU(name=f"{name}_relu")(x)

    inputs = layers.Input((32, 32, 3), name="image")
    x = relu(norm(conv(inputs, "stem", STAGES[0]), "stem"), "stem")
    for i, filters in enumerate(STAGES, 1):
        strides = 1 if i == 1 else 2
        y = relu(norm(conv(x, f"s{i}a", filters, strides=strides), f"s{i}a"), f"s{i}a")
        y = norm(conv(y, f"s{i}b", filters), f"s{i}b")
        skip = x if strides == 1 else conv(x, f"s{i}skip", filters, size=1, strides=strides)
        x = relu(layers.Add(name=f"s{i}_add")([skip, y]), f"s{i}")
    x = layers.AveragePooling2D(8, name="pool")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(CLASSES, name="logits")(x)
    return keras.Model(inputs, x, name="resnet8_float32")


_SEVEN = LayerBits(weights(7))
EIGHT = heterogeneous(
    W8.name, W8, s1b=_SEVEN, s2b=_SEVEN, s2skip=_SEVEN, s3b=_SEVEN, s3skip=_SEVEN, logits=_SEVEN
)
"""8 bits that are lowered bit for bit: a signed result needs a spare bit in its weights
(``models/export/layers.py``).
"""


def build_qat(bits: Bits) -> Any:
    """The network in ``bits``: quantized weights and activations, no batch norms."""
    layers = keras.layers

    def conv(x: Any, name: str, filters: int, size: int = 3, strides: int = 1) -> Any:
        return QConv2D(
            filters,
            size,
            strides,
            padding="same",
            kernel_quantizer=bits.kernel(name, edge=name == "stem"),
            bias_quantizer=bias_quantizer(),
            name=name,
        )(x)

    def relu(x: Any, name: str) -> Any:
        return QActivation(activation(bits.width(x.node.layer.name), 2), name=f"{name}_relu")(x)

    def grid(x: Any, name: str) -> Any:
        return QActivation(signed(4 if name == "s3b" else 3), name=f"{name}_grid")(x)

    inputs = layers.Input((32, 32, 3), name="image")
    x = relu(conv(inputs, "stem", STAGES[0]), "stem")
    for i, filters in enumerate(STAGES, 1):
        strides = 1 if i == 1 else 2
        y = relu(conv(x, f"s{i}a", filters, strides=strides), f"s{i}a")
        y = grid(conv(y, f"s{i}b", filters), f"s{i}b")
        skip = (
            x
            if strides == 1
            else grid(conv(x, f"s{i}skip", filters, size=1, strides=strides), f"s{i}skip")
        )
        x = layers.Add(name=f"s{i}_add")([skip, y])
        x = relu(x, f"s{i}") if i < len(STAGES) else QActivation(_pooled(), name=f"s{i}_relu")(x)
    x = layers.AveragePooling2D(8, name="pool")(x)
    x = QActivation(_pooled(), name="pool_grid")(x)
    x = layers.Flatten(name="flatten")(x)
    kernel = bits.kernel("logits", edge=True)
    x = QDense(CLASSES, kernel_quantizer=kernel, bias_quantizer=bias_quantizer(), name="logits")(x)
    x = QActivation(signed(5), name="logits_grid")(x)
    return bits.applied_to(keras.Model(inputs, x, name=f"resnet8_{bits.name}"))


def _pooled() -> Any:
    """Pooling keeps its input's grid. The last stage runs up to 8 where the others stay below 4."""
    return activation(POOL_BITS, 3)
