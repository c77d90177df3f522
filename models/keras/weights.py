"""Weights of one Keras network: their digest, and how they come into another."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np


def copy_weights(source: Any, target: Any) -> None:
    """Weights of ``source``'s layers into the layers of ``target`` that have the same names."""
    for layer in source.layers:
        if layer.weights:
            target.get_layer(layer.name).set_weights(layer.get_weights())


def weights_digest(model: Any) -> str:
    """SHA-256 over all weights, for what is derived from them."""
    digest = hashlib.sha256()
    for w in model.get_weights():
        digest.update(repr(w.shape).encode() + np.ascontiguousarray(w).tobytes())
    return digest.hexdigest()
