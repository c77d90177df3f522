"""Weights that certified training starts from: Shi et al. 2021, "Fast Certified Robust Training
with Short Warmup" (arXiv:2103.17268), section 3.1.
"""

from __future__ import annotations

import math
from typing import Any

from tinyrobust.models.keras.tf import tf
from tinyrobust.models.training.certified.intervals import chain_of


def interval_start(model: Any) -> None:
    """Draws every kernel of ``model`` from a normal distribution of deviation ``sqrt(2 pi) / fan
    in``, and clears the biases.

    A layer then widens a box by about its ReLU's halving, so that boxes neither explode nor
    vanish with depth, which they do by ``sqrt(fan in)`` a layer under the usual initializers.
    """
    for layer in chain_of(model):
        if not hasattr(layer, "kernel"):
            continue
        shape = layer.kernel.shape
        fan_in = math.prod(shape[:-1])
        layer.kernel.assign(tf.random.normal(shape, stddev=math.sqrt(2 * math.pi) / fan_in))
        if layer.use_bias:
            layer.bias.assign(tf.zeros_like(layer.bias))
