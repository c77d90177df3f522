"""What attacks climb: one value a sample, larger the nearer the prediction is to leaving.

On logits; what is left is the label.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyrobust.attacks.base.problem import Problem
from tinyrobust.attacks.gradients.graphs import SourceGraph, Tensor, clean, graph
from tinyrobust.attacks.gradients.lazy import tf
from tinyrobust.core.types import FloatArray, Int64Array

SATURATED = 2.0**-24
"""Cross-entropy at which the label's probability is 1 in float32: half the step below 1."""

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(logits float32 [n, classes], labels int64 [n], targets int64 [n]) -> float32 [n].

Untargeted ones ignore targets.
"""


def cross_entropy(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """Of the label. It saturates: a network that is sure enough has no gradient left in float32."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def unsaturated(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy, and ``lead`` for a sample whose label has a probability of 1 in float32.

    There the gradient of the cross-entropy is exactly zero, by the label's logit at least, and an
    attack would stand still. Such a sample has a ``lead`` far below 0 and any other a
    cross-entropy above 0, so that one order holds for all.
    """
    entropy = cross_entropy(logits, labels, targets)
    return tf.where(entropy > SATURATED, entropy, lead(logits, labels, targets))


def lead(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """The largest other logit less the label's: above 0 where the source is fooled."""
    own = tf.one_hot(labels, tf.shape(logits)[1], on_value=True, off_value=False, dtype=tf.bool)
    return tf.reduce_max(tf.where(own, logits.dtype.min, logits), 1) - _of(labels, logits)


def towards(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """The target's logit less the label's."""
    return _of(targets, logits) - _of(labels, logits)


def ratio(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """Difference of logits ratio (DLR): ``lead`` freed of the logits' scale. Needs 3 classes.

    Croce and Hein 2020, arXiv:2003.01690.
    """
    top = tf.math.top_k(logits, 3).values
    return lead(logits, labels, targets) / _or_one(top[:, 0] - top[:, 2])


def targeted_ratio(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """DLR towards a target. Needs 4 classes. Croce and Hein 2020, arXiv:2003.01690."""
    top = tf.math.top_k(logits, 4).values
    return towards(logits, labels, targets) / _or_one(top[:, 0] - (top[:, 2] + top[:, 3]) / 2)


def value(
    graph: SourceGraph, loss: Loss, x: Tensor, labels: Tensor, targets: Tensor
) -> tuple[Tensor, Tensor]:
    """At pixels ``x``: whether the source is fooled, bool [n], and the loss [n]."""
    logits = graph.logits(x)
    return tf.argmax(logits, 1) != labels, loss(logits, labels, targets)


def gradient(
    graph: SourceGraph, loss: Loss, x: Tensor, labels: Tensor, targets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """As ``value``, and the loss's gradient [n, *shape]."""
    # Weights are not watched: their gradients would cost as much as the input's.
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        fooled, found = value(graph, loss, x, labels, targets)
    return fooled, found, tape.gradient(found, x)


def gradients(problem: Problem, loss: Loss, targets: Int64Array) -> FloatArray:
    """Gradient of each sample's ``loss`` at the clean input, float32 [n, *shape].

    Per real unit; ``targets`` int64 [n].
    """
    slope = graph(problem).compiled(_slope, loss)(clean(problem), problem.labels, targets)
    found: FloatArray = np.asarray(slope) / np.float32(problem.span)
    return found


def _slope(graph: SourceGraph, loss: Loss) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    compiled: Callable[[Tensor, Tensor, Tensor], Tensor] = tf.function(
        lambda x, labels, targets: gradient(graph, loss, x, labels, targets)[2],
        input_signature=[graph.pixels, graph.labels, graph.labels],
    )
    return compiled


def _of(classes: Tensor, logits: Tensor) -> Tensor:
    return tf.gather(logits, classes, axis=1, batch_dims=1)


def _or_one(scale: Tensor) -> Tensor:
    """Logits in whole levels do tie: a scale of 0 would make the gradient infinite."""
    return tf.where(scale > 0, scale, 1.0)
