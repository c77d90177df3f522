"""One update of adversarial training, and the attack that it is judged by on the way."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tinyrobust.core.types import Dataset, TensorSpec
from tinyrobust.models.keras.tf import keras, tf
from tinyrobust.models.training.adversarial.averages import Averages
from tinyrobust.models.training.adversarial.example import perturbed
from tinyrobust.models.training.adversarial.plan import AdversarialPlan, LinfAttack
from tinyrobust.models.training.trainer import forward_of, learning_phase

Tensor = Any
_BATCH = 250


def adversarial_step(
    model: Any, optimizer: Any, plan: AdversarialPlan, spec: TensorSpec, averages: Averages
) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """One update of ``model`` as a graph: (images [batch, ...] on levels of ``spec``, labels
    [batch]) to (loss on the attacked images, penalty) before it.

    Batch norms are in training mode, for the attack as well (as Wong et al. have it), so their
    statistics are those of perturbed images. The random start follows from the plan's seed and the
    number of updates: a resumed training makes the examples that a whole one makes.
    """
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    forward = forward_of(model, plan)

    def step(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        with learning_phase():
            seed = tf.stack([plan.seed, tf.cast(optimizer.iterations, tf.int32)])
            live = partial(model, training=True)
            attacked = perturbed(live, images, labels, plan.attack, spec, seed)
            with tf.GradientTape() as tape:
                logits, penalty = forward(attacked)
                loss = cross_entropy(labels, logits)
                total = loss + penalty
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(total, variables), variables, strict=True))
        averages.update(optimizer.iterations)
        return loss, penalty

    compiled: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] = tf.function(step)
    return compiled


def robust_accuracy(model: Any, spec: TensorSpec, attack: LinfAttack) -> Callable[[Dataset], float]:
    """Compiles ``attack`` on ``model`` at rest: the share of a data set that ``model`` gets right
    under it, the same in every call but for the weights.
    """

    def right(images: Tensor, labels: Tensor, first: Tensor) -> Tensor:
        at_rest = partial(model, training=False)
        seed = tf.stack([0, first])
        logits = at_rest(perturbed(at_rest, images, labels, attack, spec, seed))
        return tf.reduce_sum(tf.cast(tf.argmax(logits, -1) == labels, tf.int32))

    compiled = tf.function(right)

    def share(data: Dataset) -> float:
        total = 0
        for first in range(0, len(data.q), _BATCH):
            rows = slice(first, first + _BATCH)
            images = tf.constant(spec.dequantize(data.q[rows]))
            total += int(compiled(images, tf.constant(data.labels[rows]), tf.constant(first)))
        return total / len(data.q)

    return share
