"""The classes that a Keras file may name, by the name it gives them.

Nothing else is looked up, imported or built.
"""

from __future__ import annotations

from typing import Any

from tinyrobust.models.keras.qdense_batchnorm import QDenseBatchnorm
from tinyrobust.models.keras.quantizers import (
    quantized_bits_exact,
    stochastic_binary_exact,
    stochastic_ternary_exact,
)
from tinyrobust.models.keras.rounding import CUSTOM_OBJECTS
from tinyrobust.models.keras.tf import keras, tf

import qkeras  # isort: skip  (after tinyrobust.models.keras.tf)
from qkeras import qconv2d_batchnorm, qdepthwiseconv2d_batchnorm, qpooling  # isort: skip

INPUT = "InputLayer"
MODELS = ("Functional", "Model", "Sequential")
"""What a description of layers is called; ``Model`` in files before TensorFlow 2.4."""

_PLAIN = """
Activation ActivityRegularization Add AlphaDropout Average AveragePooling1D AveragePooling2D
BatchNormalization Concatenate Conv1D Conv1DTranspose Conv2D Conv2DTranspose Cropping1D Cropping2D
Dense DepthwiseConv1D DepthwiseConv2D Dot Dropout ELU Flatten GaussianDropout GaussianNoise
GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D
GroupNormalization Identity LayerNormalization LeakyReLU Masking MaxPooling1D MaxPooling2D Maximum
Minimum Multiply Normalization PReLU Permute ReLU RepeatVector Rescaling Reshape Resizing
SeparableConv1D SeparableConv2D Softmax SpatialDropout1D SpatialDropout2D Subtract ThresholdedReLU
TimeDistributed UnitNormalization UpSampling1D UpSampling2D ZeroPadding1D ZeroPadding2D
"""
"""Feed-forward layers of Keras. Not here: Lambda, which is code; TFOpLambda, which calls any
TensorFlow function by its name, ``io.write_file`` too; lookups, which read files; recurrent
ones, which no engine of the bench runs."""

_QKERAS = (
    qkeras.QActivation,
    qkeras.QAdaptiveActivation,
    qkeras.QBatchNormalization,
    qkeras.QConv1D,
    qkeras.QConv2D,
    qkeras.QConv2DTranspose,
    qkeras.QDense,
    qkeras.QDepthwiseConv2D,
    qkeras.QSeparableConv1D,
    qkeras.QSeparableConv2D,
    qconv2d_batchnorm.QConv2DBatchnorm,
    qdepthwiseconv2d_batchnorm.QDepthwiseConv2DBatchnorm,
    qpooling.QAveragePooling2D,
    qpooling.QGlobalAveragePooling2D,
    QDenseBatchnorm,
)

PLAIN: dict[str, Any] = {name: getattr(keras.layers, name) for name in _PLAIN.split()}
LAYERS: dict[str, Any] = PLAIN | {kind.__name__: kind for kind in _QKERAS}

_QUANTIZERS = (
    qkeras.bernoulli,
    qkeras.binary,
    qkeras.quantized_bits,
    qkeras.quantized_po2,
    qkeras.quantized_relu,
    qkeras.quantized_relu_po2,
    qkeras.quantized_sigmoid,
    qkeras.quantized_tanh,
    qkeras.quantized_ulaw,
    qkeras.stochastic_binary,
    qkeras.stochastic_ternary,
    qkeras.ternary,
    quantized_bits_exact,
    stochastic_binary_exact,
    stochastic_ternary_exact,
    *CUSTOM_OBJECTS.values(),
)
QUANTIZERS: dict[str, Any] = {kind.__name__: kind for kind in _QUANTIZERS}

_ACTIVATIONS = """
elu exponential gelu hard_sigmoid linear mish relu selu sigmoid softmax softplus softsign swish tanh
"""
ACTIVATIONS: dict[str, Any] = {
    name: getattr(keras.activations, name) for name in _ACTIVATIONS.split()
} | {
    "leaky_relu": tf.nn.leaky_relu,  # Keras 3 only, with the same slope of 0.2
    "relu6": tf.nn.relu6,
    "silu": keras.activations.swish,
}
KERAS_3_DIFFERS = frozenset({"hard_sigmoid"})
"""Activations of one name and two functions: a slope of 1/5 in Keras 2, of 1/6 in Keras 3."""
Q_ACTIVATIONS = frozenset(
    ("binary_sigmoid", "binary_tanh", "hard_sigmoid", "hard_tanh", "smooth_sigmoid", "smooth_tanh")
)
"""QKeras's activations without parameters."""

_DTYPES = "bfloat16 float16 float32 float64 int16 int32 int8 mixed_bfloat16 mixed_float16 uint8"
DTYPES = frozenset(_DTYPES.split())
"""Types of tensors, and policies, which are told by name too."""


def why_not(kind: str) -> str:
    """Why a layer of class ``kind``, which is not in ``LAYERS``, is refused."""
    if kind.split(">")[-1] == "Lambda":
        return "is a Lambda layer, which is code; export the model without it"
    if kind in ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"):
        return (
            f"({kind}) calls TensorFlow by a name in the file; "
            "use layers such as Add, Multiply, Rescaling"
        )
    if hasattr(keras.layers, kind):
        return f"({kind}) is none of the layers that the bench runs; docs/add-a-model.md lists them"
    return f"({kind}): neither Keras nor QKeras 0.9 has such a layer"
