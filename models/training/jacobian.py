"""Jacobian regularization after Hoffman, Roberts and Yaida 2019 (arXiv:1908.02729).

Their paper is "Robust Learning with Jacobian Regularization".

The squared Frobenius norm of an input-output Jacobian J [outputs, inputs] is ``outputs * E |v^T
J|^2`` over random unit vectors v, so a few vector-Jacobian products estimate it without bias.
Gradients go through QKeras's straight-through quantizers: the Jacobian of a quantized network is
the straight-through one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinyrobust.models.keras.tf import keras, tf


@dataclass(frozen=True)
class LayerWeight:
    """Penalizes the Jacobian of one layer's output with respect to another's.

    The layers are ``output`` and ``input``; the penalty is taken times ``weight``.
    """

    input: str
    output: str
    weight: float


@dataclass(frozen=True)
class Penalty:
    """A penalty on the Jacobian of the whole network, and on those between layers.

    It is ``strength / 2 * |J|^2`` of the network plus, per entry of ``layers``, ``weight / 2 *
    |J_layer|^2``.

    ``projections`` random vectors a step; ``share`` of each batch (0 < share <= 1) pays for them,
    which leaves the estimate unbiased and is what keeps a step below twice the cost of a plain one.
    """

    strength: float = 0.0
    projections: int = 1
    layers: tuple[LayerWeight, ...] = ()
    share: float = 0.5

    def __post_init__(self) -> None:
        if self.strength < 0 or any(w.weight < 0 for w in self.layers):
            raise ValueError("a Jacobian penalty must not be negative")
        if self.projections < 1 or not 0 < self.share <= 1:
            raise ValueError(
                "a Jacobian penalty takes at least one projection and a share in (0, 1]"
            )


def random_directions(like: Any) -> Any:
    """Random v shaped like ``like`` [n, ...] with ``E v v^T = I`` per sample.

    They are unit vectors times sqrt(size).
    """
    v = tf.random.normal(tf.shape(like))
    axes = list(range(1, len(like.shape)))
    return v * tf.math.rsqrt(tf.reduce_mean(tf.square(v), axis=axes, keepdims=True))


def squared_norm(tape: Any, output: Any, source: Any, projections: int) -> Any:
    """Estimate of ``|d output / d source|^2``, mean over the batch.

    It is a scalar that an outer tape can differentiate.

    ``tape`` is the persistent ``tf.GradientTape`` that recorded ``output`` [n, ...] from ``source``
    [n, ...]. No sample's output may depend on another's (batch norm in training: the dependence is
    neglected, as in the paper).
    """
    total = 0.0
    for _ in range(projections):
        product = tape.gradient(output, source, output_gradients=random_directions(output))
        total += tf.reduce_sum(tf.square(product)) / tf.cast(tf.shape(product)[0], product.dtype)
    return total / projections


def exact_squared_norm(model: Any, images: Any) -> Any:
    """``|d logits / d image|^2`` per sample, float32 [n].

    It takes one vector-Jacobian product per logit.
    """
    images = tf.convert_to_tensor(images)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(images)
        logits = model(images, training=False)
        columns = tf.unstack(logits, axis=-1)
    axes = list(range(1, len(images.shape)))
    return tf.add_n(
        [tf.reduce_sum(tf.square(tape.gradient(c, images)), axis=axes) for c in columns]
    )


class Regularized:
    """``model`` with the penalty of its Jacobians beside its logits."""

    def __init__(self, model: Any, penalty: Penalty) -> None:
        self.model = model
        self.penalty = penalty
        names: Sequence[str] = sorted({n for w in penalty.layers for n in (w.input, w.output)})
        taps = {name: model.get_layer(name).output for name in names}
        self._tapped = keras.Model(model.inputs, {"logits": model.output, "taps": taps})

    def __call__(self, images: Any) -> tuple[Any, Any]:
        """Training-mode logits [n, classes] and the penalty, a scalar, for images [n, ...]."""
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(images)
            out = self._tapped(images, training=True)
        total = tf.constant(0.0)
        if self.penalty.strength:
            norm = squared_norm(tape, out["logits"], images, self.penalty.projections)
            total += self.penalty.strength / 2 * norm
        for w in self.penalty.layers:
            norm = squared_norm(
                tape, out["taps"][w.output], out["taps"][w.input], self.penalty.projections
            )
            total += w.weight / 2 * norm
        return out["logits"], total
