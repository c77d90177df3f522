"""Interval bound propagation through a Keras network: Gowal et al. 2018, arXiv:1810.12715.

A box of inputs, element by element from ``low`` to ``high``, becomes a box of outputs. A layer with
weights moves the box's center as it moves any point, and its radius by the weights' magnitudes;
every other layer here is monotone, so both ends go through it. That includes the quantizers of
QKeras: the ends are rounded and clipped as the network rounds and clips (Lechner et al. 2023,
arXiv:2211.16187), with straight-through gradients, and what training bounds is the network that is
exported, every rounding in it. Float32 has roundings of its own: these bounds are for training and
for figures on the way; what is said of a chip is proven on the integers of its plan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tinyrobust.core.errors import UsageError
from tinyrobust.models.keras.tf import keras, tf

from qkeras import QActivation  # isort: skip  (after tinyrobust.models.keras.tf)

Tensor = Any
_L = keras.layers
_MONOTONE = (
    _L.ReLU,
    _L.Flatten,
    _L.Reshape,
    _L.AveragePooling2D,
    _L.GlobalAveragePooling2D,
    _L.MaxPooling2D,
    _L.ZeroPadding2D,
    QActivation,
)


@dataclass(frozen=True)
class Reached:
    """Where n boxes have come, float32 [n, ...], and points, [m, ...]."""

    low: Tensor
    high: Tensor
    point: Tensor

    @property
    def center(self) -> Tensor:
        """Middle of the boxes."""
        return (self.low + self.high) / 2

    @property
    def radius(self) -> Tensor:
        """Half of the boxes' width."""
        return (self.high - self.low) / 2


def chain_of(model: Any) -> list[Any]:
    """The layers of ``model`` in order, without its input.

    Raises UsageError naming a layer that has no interval form here, or that is no link of a chain.
    """
    if not isinstance(model.layers[0], _L.InputLayer):
        raise UsageError(f"model {model.name}: it does not begin with an Input")
    before = model.layers[0]
    for layer in model.layers[1:]:
        parents = [node.layer for node in layer.inbound_nodes[0].parent_nodes]
        if parents != [before] or len(layer.inbound_nodes) != 1:
            raise UsageError(
                f"layer {layer.name} of {model.name}: certified training takes "
                "a plain chain of layers"
            )
        if not isinstance(layer, _MONOTONE) and not _has_product(layer):
            raise UsageError(
                f"layer {layer.name} of {model.name}: no interval form for {type(layer).__name__}"
            )
        before = layer
    return list(model.layers[1:])


def step(layer: Any, at: Reached) -> tuple[Reached, Reached | None]:
    """The boxes after ``layer``, and those before its activation where it has weights."""
    if not _has_product(layer):
        return _ends_through(layer, at), None
    sums = affine(layer, at)
    activation = layer.activation
    if activation in (None, keras.activations.linear):
        return sums, sums
    if activation is not keras.activations.relu:
        raise UsageError(f"layer {layer.name}: no interval form for its activation")
    return _ends_through(activation, sums), sums


def affine(layer: Any, at: Reached) -> Reached:
    """The boxes of a layer's sums, before any activation."""
    kernel, bias = parameters(layer)
    product = _product(layer)
    center = product(at.center, kernel) + bias
    spread = product(at.radius, tf.abs(kernel))
    return Reached(center - spread, center + spread, product(at.point, kernel) + bias)


def parameters(layer: Any) -> tuple[Tensor, Tensor]:
    """Kernel and bias as the network uses them: through their quantizers where there are any."""
    kernel, bias = layer.kernel, layer.bias if layer.use_bias else tf.zeros(layer.kernel.shape[-1])
    kernels = getattr(layer, "kernel_quantizer_internal", None)
    biases = getattr(layer, "bias_quantizer_internal", None)
    return (
        kernel if kernels is None else kernels(kernel),
        bias if biases is None or not layer.use_bias else biases(bias),
    )


def _has_product(layer: Any) -> bool:
    depthwise = isinstance(layer, _L.DepthwiseConv2D)
    plain_conv = isinstance(layer, _L.Conv2D) and not depthwise and layer.groups == 1
    return plain_conv or isinstance(layer, _L.Dense)


def _product(layer: Any) -> Callable[[Tensor, Tensor], Tensor]:
    if isinstance(layer, _L.Dense):
        return lambda x, kernel: tf.matmul(x, kernel)
    return lambda x, kernel: tf.nn.conv2d(
        x, kernel, layer.strides, layer.padding.upper(), dilations=layer.dilation_rate
    )


def _ends_through(monotone: Callable[[Tensor], Tensor], at: Reached) -> Reached:
    return Reached(monotone(at.low), monotone(at.high), monotone(at.point))
