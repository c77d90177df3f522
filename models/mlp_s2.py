"""The 784-100-10 ReLU network of Gorsline, Smith and Merkel 2021 (S2); 79,510 parameters."""

from __future__ import annotations

from models.dense_chain import DenseChain
from models.quantizers import W4, LayerBits, heterogeneous, weights

CHAIN = DenseChain("mlp", 784, (100,), 10, norms=False)
BITS = heterogeneous("w2w7", W4, dense1=LayerBits(weights(2), 6), logits=LayerBits(weights(7)))
"""Unequal widths as in the follow-on thesis: 78,400 weights of 2 bits, activations of 6, 1,000 weights of 7."""
