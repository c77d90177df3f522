"""One update of certified training, and what it minimizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyrobust.core.types import TensorSpec
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.training.certified import regularizer
from tinyrobust.models.training.certified.intervals import chain_of
from tinyrobust.models.training.certified.margins import Bounds, Margins
from tinyrobust.models.training.certified.plan import Certified

Tensor = Any
_LARGEST_GRADIENT = 10.0
"""Norm that all gradients together are clipped to: a growing box makes some steep ones."""


def box(images: Tensor, levels: Tensor, spec: TensorSpec) -> tuple[Tensor, Tensor]:
    """Lowest and highest image within ``levels`` of ``images`` (real values), inside of the
    lattice.
    """
    width = levels * spec.scale
    return tf.maximum(images - width, spec.low), tf.minimum(images + width, spec.high)


def loss_of(bounds: Bounds, labels: Tensor, clean: float) -> Tensor:
    """``clean`` parts of the cross entropy of the points' logits, the rest of the worst logits'.

    The worst logits of a box are the margins, negated: the label's is 0, every other as large as
    it can come to be beside it.
    """

    def cross_entropy(logits: Tensor) -> Tensor:
        return tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        )

    worst = cross_entropy(-bounds.margins)
    return clean * cross_entropy(bounds.logits) + (1 - clean) * worst if clean else worst


def toward_loss(
    model: Any, images: Tensor, labels: Tensor, levels: Tensor, spec: TensorSpec
) -> Tensor:
    """``images``, each element ``levels`` further along the sign of its loss's gradient, inside of
    the lattice (Goodfellow et al. 2015, FGSM, arXiv:1412.6572).
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=labels, logits=model(images, training=True)
        )
    up = levels * spec.scale * tf.sign(tape.gradient(losses, images))
    return tf.clip_by_value(images + tf.stop_gradient(up), spec.low, spec.high)


def certified_step(
    model: Any, optimizer: Any, certified: Certified, spec: TensorSpec, steps: int
) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """One update of ``model`` as a graph: (images [batch, ...], labels [batch]) to (loss, penalty)
    before it.

    The size of the boxes follows from the updates that ``optimizer`` has made, ``steps`` of them
    an epoch, so that a resumed training goes on with the boxes it had.
    """
    margins = Margins(model)
    kernels = [layer.kernel for layer in chain_of(model) if hasattr(layer, "kernel")]

    def penalty_of(bounds: Bounds, share: Tensor) -> Tensor:
        total = tf.constant(0.0)
        if certified.regularizer:
            both = regularizer.tightness(bounds.sums) + regularizer.balance(bounds.sums)
            # A box without width has no tightness: its ratio would be 0 / 0.
            growing = tf.logical_and(share > 0, share < 1)
            total += tf.where(growing, certified.regularizer * (1 - share) * both, 0.0)
        if certified.l1:
            total += certified.l1 * tf.add_n([tf.reduce_sum(tf.abs(w)) for w in kernels])
        return total

    def update(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        share = certified.share(tf.cast(optimizer.iterations, tf.float32) / steps)
        levels = certified.levels * share
        middle = images
        if certified.part < 1:
            middle = toward_loss(model, images, labels, (1 - certified.part) * levels, spec)
        low, high = box(middle, certified.part * levels, spec)
        with tf.GradientTape() as tape:
            points = images if certified.clean else images[:0]  # a third of the work, for nothing
            bounds = margins(low, high, points, labels)
            loss = loss_of(bounds, labels, certified.clean)
            penalty = penalty_of(bounds, share)
            total = loss + penalty
        variables = model.trainable_variables
        gradients, _ = tf.clip_by_global_norm(tape.gradient(total, variables), _LARGEST_GRADIENT)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss, penalty

    compiled: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] = tf.function(update)
    return compiled
