"""A float network's scales moved onto the grids of its quantized counterpart.

A ReLU lets a positive factor through, so a layer's sums may be multiplied by one if the next
kernel is divided by it: the same function. Here the factors are such that almost all of what boxes
reach lies within each grid and uses it whole. Ranges chosen this way are ranges for certificates:
an end beyond its grid is clipped, which only narrows its box, and one rounding is a share of the
box, not of the largest value ever seen.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import Dataset, TensorSpec
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.training.certified.intervals import chain_of
from tinyrobust.models.training.certified.margins import Margins
from tinyrobust.models.training.certified.step import box

from qkeras import QActivation  # isort: skip  (after tinyrobust.models.keras.tf)

_SAMPLES = 500
_INSIDE = 99.0
"""Percentile of the boxes' upper ends that still lies on the grid."""


def onto_ranges(full: Any, quantized: Any, data: Dataset, spec: TensorSpec, levels: float) -> None:
    """Sets the weights of ``quantized`` to those of ``full``, a chain of the same layers with
    ReLUs, scaled onto the grids that follow each layer.

    ``data``: whose boxes of ``levels`` are measured. Raises UsageError where the layers differ.
    """
    images = tf.constant(spec.dequantize(data.q[:_SAMPLES]))
    labels = tf.constant(data.labels[:_SAMPLES])
    reached = Margins(full)(*box(images, levels, spec), images, labels).sums[1:]
    grids = _ranges(quantized)
    sources = [layer for layer in chain_of(full) if hasattr(layer, "kernel")]
    if [layer.name for layer in sources] != list(grids) or len(reached) != len(sources) - 1:
        raise UsageError(f"{quantized.name} has other layers than {full.name}")
    before = 1.0
    for i, (layer, limit) in enumerate(zip(sources, grids.values(), strict=True)):
        largest = np.percentile(reached[i].high, _INSIDE) if i < len(reached) else 0.0
        after = limit / largest if largest > 0 else 1.0
        kernel, bias = layer.get_weights()
        quantized.get_layer(layer.name).set_weights([kernel * (after / before), bias * after])
        before = after


def _ranges(quantized: Any) -> dict[str, float]:
    """Upper end of the grid right after each layer with weights, by the layer's name."""
    layers = chain_of(quantized)
    return {
        layer.name: float(2.0 ** int(after.quantizer.integer))
        for layer, after in pairwise(layers)
        if hasattr(layer, "kernel") and isinstance(after, QActivation)
    }
