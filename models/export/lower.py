"""A QKeras model written directly as a full-integer .tflite: what was trained is what is flashed.

Each step becomes the operator that computes it, with the quantized weights unchanged and each
tensor on the grid of the QActivation that follows. What has no exact form is refused with the
layer's name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.export import layers
from tinyrobust.models.export.fold import CONVOLUTIONS, DENSE, DEPTHWISE
from tinyrobust.models.export.layers import Emitter, Value
from tinyrobust.models.export.steps import Step, steps_of
from tinyrobust.models.keras.tf import keras

from qkeras import QActivation  # isort: skip  (after tinyrobust.models.keras.tf)

_L = keras.layers
_Lowering = Callable[[Emitter, Step, list[Value]], Value]
_LOWERINGS: tuple[tuple[Any, _Lowering], ...] = (
    (DEPTHWISE, layers.depthwise),
    (CONVOLUTIONS, layers.convolution),
    (DENSE, layers.dense),
    (_L.Add, layers.add),
    (_L.GlobalAveragePooling2D, layers.global_average),
    (_L.AveragePooling2D, layers.average_pool),
    (_L.MaxPooling2D, layers.max_pool),
    (_L.ZeroPadding2D, layers.zero_pad),
    ((_L.Flatten, _L.Reshape), layers.reshape),
    (QActivation, layers.requantize),
)


def lower(model: Any, source: TensorSpec) -> bytes:
    """``model`` written as a .tflite with int8 input ``source``.

    ``model`` is a functional or sequential Keras model of one input and one output.

    Tensors are named after the Keras layer whose output they hold. Raises UsageError that names the
    layer and why.
    """
    steps = steps_of(model)
    if steps[0].shape != source.shape:
        raise UsageError(f"model {model.name} takes {steps[0].shape}, the data are {source.shape}")
    emitter = Emitter(f"{model.name}, lowered from QKeras by tinyrobust")
    first = emitter.input(steps[0].name, source)
    values = {steps[0].name: first}
    for step in steps[1:]:
        try:
            values[step.name] = _lowering_of(step.layer)(
                emitter, step, [values[i] for i in step.inputs]
            )
        except ValueError as err:
            raise UsageError(
                f"layer {step.layer.name} ({type(step.layer).__name__}): {err}"
            ) from None
    return emitter.writer.finish(first.index, values[steps[-1].name].index)


def _lowering_of(layer: Any) -> _Lowering:
    for kinds, lowering in _LOWERINGS:
        if isinstance(layer, kinds):
            return lowering
    raise ValueError("this layer has no exact int8 form")
