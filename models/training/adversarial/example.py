"""Adversarial examples for training: inside the Linf ball and the input's range, on whole levels.

What is trained on is what a chip could be given: its input has 256 levels, and a ball of two has
five values an element.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyrobust.core.types import TensorSpec
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.training.adversarial.plan import LinfAttack

Tensor = Any


def perturbed(
    logits: Callable[[Tensor], Tensor],
    images: Tensor,
    labels: Tensor,
    attack: LinfAttack,
    spec: TensorSpec,
    seed: Tensor,
) -> Tensor:
    """``images`` float32 [n, ...] on the levels of ``spec``, moved so that the cross-entropy of
    ``logits`` with ``labels`` int [n] rises; on levels again, no gradient through them.

    ``seed`` int32 [2] alone decides the random start, uniform in every element.
    """
    eps = attack.levels * spec.scale
    low, high = tf.maximum(images - eps, spec.low), tf.minimum(images + eps, spec.high)
    at = images + tf.random.stateless_uniform(tf.shape(images), seed, -eps, eps)
    for _ in range(attack.steps):
        at = tf.clip_by_value(at, low, high)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(at)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits(at))
        at = at + attack.size * eps * tf.sign(tape.gradient(loss, at))
    steps = tf.round((tf.clip_by_value(at, low, high) - images) / spec.scale)
    return tf.stop_gradient(tf.clip_by_value(images + steps * spec.scale, low, high))
