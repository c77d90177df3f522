"""A float network's batch norms folded into the layers before them.

This is where quantization-aware training starts from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyrobust.models.keras.tf import keras

Weights = NDArray[np.float32]


def folded(model: Any) -> dict[str, tuple[Weights, Weights]]:
    """Kernel and bias, by name, of every layer that has a kernel, with its batch norm in them.

    That is the batch norm right after the layer.

    ``model`` is a functional Keras model; a layer without bias gets zeros.
    """
    out = {}
    for layer in model.layers:
        if isinstance(
            layer, keras.layers.DepthwiseConv2D | keras.layers.Conv2D | keras.layers.Dense
        ):
            weights = [np.asarray(w) for w in layer.get_weights()]
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            channels = (
                weights[0].shape[2] * weights[0].shape[3] if depthwise else weights[0].shape[-1]
            )
            bias = weights[1] if layer.use_bias else np.zeros(channels, np.float32)
            out[layer.name] = _fold(weights[0], bias, _norm_after(layer), depthwise)
    return out


def copy_folded(source: Any, target: Any) -> None:
    """Sets the kernels and biases of ``target`` to those of ``source``, folded.

    ValueError: a layer is missing.
    """
    for name, weights in folded(source).items():
        target.get_layer(name).set_weights(list(weights))


def _norm_after(layer: Any) -> Any | None:
    nodes = layer.outbound_nodes
    after = nodes[0].outbound_layer if len(nodes) == 1 else None
    return after if isinstance(after, keras.layers.BatchNormalization) else None


def _fold(
    kernel: Weights, bias: Weights, norm: Any | None, depthwise: bool
) -> tuple[Weights, Weights]:
    if norm is None:
        return kernel, bias
    mean, variance = np.asarray(norm.moving_mean), np.asarray(norm.moving_variance)
    factor = np.asarray(norm.gamma) / np.sqrt(variance + norm.epsilon)
    shaped = factor.reshape(kernel.shape[2:]) if depthwise else factor
    return kernel * shaped, (bias - mean) * factor + np.asarray(norm.beta)
