"""Quantization-aware training of plain Keras networks with TFMOT, beside QKeras.

TFMOT is tensorflow-model-optimization.

TFMOT wraps every layer so that weights (int8, per channel) and outputs (int8, ranges learned as
moving averages) pass fake quantization; TFLiteConverter then takes the ranges from the wrappers,
and needs no calibration data.
"""

from __future__ import annotations

from typing import Any

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.keras.tf import keras, quiet_stderr

with quiet_stderr():
    from tensorflow_model_optimization.python.core.quantization.keras import quantize
    from tensorflow_model_optimization.python.core.quantization.keras.quantize_layer import (
        QuantizeLayer,
    )


def fake_quantized(model: Any, spec: TensorSpec) -> Any:
    """A trainable copy of ``model`` that quantizes as its int8 export will.

    ``model`` is functional, of plain layers.

    Its input is fixed on grid ``spec``: data on the grid never move its range. Raises
    UsageError naming the model where TFMOT does not know a layer.
    """
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    try:
        wrapped = quantize.quantize_model(copy)
    except (RuntimeError, ValueError) as err:
        raise UsageError(
            f"{model.name}: TFMOT cannot quantize it ({str(err).splitlines()[0][:200]})"
        ) from None
    for layer in wrapped.layers:
        if isinstance(layer, QuantizeLayer):
            low, high = (w for w in layer.weights if w.name.endswith(("_min:0", "_max:0")))
            low.assign(spec.low)
            high.assign(spec.high)
    return wrapped
