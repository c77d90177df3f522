"""A QKeras model written directly as a full-integer .tflite: what was trained is what is flashed.

Each step becomes the operator that computes it, with the quantized weights unchanged and each tensor on the grid of
the QActivation that follows. What has no exact form is refused with the layer's name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from host.types import TensorSpec, UsageError
from models import lower_ops
from models.fold import CONVOLUTIONS, DENSE, DEPTHWISE
from models.keras_chain import Step, steps_of
from models.lower_ops import Emitter, Value
from models.tf import keras

from qkeras import QActivation  # isort: skip  (after models.tf)

_L = keras.layers
_Lowering = Callable[[Emitter, Step, list[Value]], Value]
_LOWERINGS: tuple[tuple[Any, _Lowering], ...] = (
    (DEPTHWISE, lower_ops.depthwise),
    (CONVOLUTIONS, lower_ops.convolution),
    (DENSE, lower_ops.dense),
    (_L.Add, lower_ops.add),
    (_L.GlobalAveragePooling2D, lower_ops.global_average),
    (_L.AveragePooling2D, lower_ops.average_pool),
    (_L.MaxPooling2D, lower_ops.max_pool),
    (_L.ZeroPadding2D, lower_ops.zero_pad),
    ((_L.Flatten, _L.Reshape), lower_ops.reshape),
    (QActivation, lower_ops.requantize),
)


def lower(model: Any, source: TensorSpec) -> bytes:
    """``model`` (Keras functional or sequential, one input, one output) as a .tflite with int8 input ``source``.

    Tensors are named after the Keras layer whose output they hold. Raises UsageError that names the layer and why.
    """
    steps = steps_of(model)
    if steps[0].shape != source.shape:
        raise UsageError(f"model {model.name} takes {steps[0].shape}, the data are {source.shape}")
    emitter = Emitter(f"{model.name}, lowered from QKeras by tinyrobust")
    first = emitter.input(steps[0].name, source)
    values = {steps[0].name: first}
    for step in steps[1:]:
        try:
            values[step.name] = _lowering_of(step.layer)(emitter, step, [values[i] for i in step.inputs])
        except ValueError as err:
            raise UsageError(f"layer {step.layer.name} ({type(step.layer).__name__}): {err}") from None
    return emitter.writer.finish(first.index, values[steps[-1].name].index)


def _lowering_of(layer: Any) -> _Lowering:
    for kinds, lowering in _LOWERINGS:
        if isinstance(layer, kinds):
            return lowering
    raise ValueError("this layer has no exact int8 form")
