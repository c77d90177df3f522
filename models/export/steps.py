"""A Keras model as a list of steps in order.

Each step is a layer with the batch norm and the quantizer that follow it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyrobust.core.errors import UsageError
from tinyrobust.models.export.fold import CONVOLUTIONS, DENSE, DEPTHWISE
from tinyrobust.models.keras.tf import keras

from qkeras import QActivation  # isort: skip  (after tinyrobust.models.keras.tf)

_L = keras.layers
_FOLDABLE = (*CONVOLUTIONS, *DEPTHWISE, *DENSE)
_REQUANTIZING = (*_FOLDABLE, _L.Add, _L.AveragePooling2D, _L.GlobalAveragePooling2D)


@dataclass(frozen=True)
class Step:
    """One layer with what follows it and is folded into it.

    ``name`` is the last Keras layer folded in; ``inputs`` are names of earlier steps; ``shape`` is
    without the batch.
    """

    name: str
    layer: Any
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    batchnorm: Any | None = None
    quantizer: Any | None = None


def steps_of(model: Any) -> list[Step]:
    """The steps of ``model``, input first, output last.

    Raises UsageError on what is no single-input network.
    """
    layers = list(model.layers)
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UsageError(
            f"model {model.name}: {len(model.inputs)} inputs, {len(model.outputs)} outputs; 1 each "
            "fit"
        )
    producers = {layer.name: _producers(layer) for layer in layers}
    consumers: dict[str, list[Any]] = {layer.name: [] for layer in layers}
    for layer in layers:
        for name in producers[layer.name]:
            consumers.setdefault(name, []).append(layer)
    source = model.inputs[0].node.layer.name
    home = {source: source}
    steps = [Step(source, None, (), _shape(model.inputs[0].shape, source))]
    for layer in layers:
        if layer.name in home:
            continue
        inputs = tuple(home[name] for name in producers[layer.name])
        if _is_identity(layer) or _is_final_softmax(layer, model):
            home[layer.name] = inputs[0]
            continue
        step, members = _folded(layer, inputs, consumers)
        steps.append(step)
        home.update(dict.fromkeys(members, step.name))
    if home[model.outputs[0].node.layer.name] != steps[-1].name:
        raise UsageError(f"model {model.name}: its output is not its last layer")
    return steps


def _folded(
    layer: Any, inputs: tuple[str, ...], consumers: dict[str, list[Any]]
) -> tuple[Step, list[str]]:
    members, last, batchnorm = [layer.name], layer, None
    quantizer = layer.quantizer if isinstance(layer, QActivation) else _inner_quantizer(layer)
    following = _only(consumers[last.name])
    if (
        isinstance(layer, _FOLDABLE)
        and quantizer is None
        and isinstance(following, _L.BatchNormalization)
    ):
        batchnorm, last = following, following
        members.append(last.name)
        following = _only(consumers[last.name])
    if (
        isinstance(layer, _REQUANTIZING)
        and quantizer is None
        and isinstance(following, QActivation)
    ):
        quantizer, last = following.quantizer, following
        members.append(last.name)
    shape = _shape(last.output_shape, last.name)
    return Step(last.name, layer, inputs, shape, batchnorm, quantizer), members


def _inner_quantizer(layer: Any) -> Any | None:
    activation = getattr(layer, "activation", None)
    return None if activation in (None, keras.activations.linear) else activation


def _only(layers: list[Any]) -> Any | None:
    return layers[0] if len(layers) == 1 else None


def _producers(layer: Any) -> tuple[str, ...]:
    if len(layer.inbound_nodes) != 1:
        raise UsageError(
            f"layer {layer.name} is used {len(layer.inbound_nodes)} times; once is supported"
        )
    parents = layer.inbound_nodes[0].parent_nodes
    return tuple(node.layer.name for node in parents)


def _is_identity(layer: Any) -> bool:
    linear = isinstance(layer, _L.Activation) and layer.activation is keras.activations.linear
    return linear or isinstance(layer, _L.Dropout | _L.SpatialDropout2D)


def _is_final_softmax(layer: Any, model: Any) -> bool:
    """Dropped: the exported network answers with logits, and softmax moves no argmax."""
    softmax = isinstance(layer, _L.Softmax) or (
        isinstance(layer, _L.Activation) and layer.activation is keras.activations.softmax
    )
    return softmax and model.outputs[0].node.layer is layer


def _shape(shape: Any, name: str) -> tuple[int, ...]:
    dims = tuple(shape[0] if isinstance(shape, list) else shape)[1:]
    if any(d is None for d in dims):
        raise UsageError(
            f"layer {name}: shape {dims} is not fixed; build the model with a fixed input size"
        )
    return tuple(int(d) for d in dims)
