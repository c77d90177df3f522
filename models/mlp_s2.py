"""The 784-100-10 ReLU network of Gorsline, Smith and Merkel 2021 (S2); 79,510 parameters."""

from __future__ import annotations

from models.dense_chain import DenseChain

CHAIN = DenseChain("mlp", 784, (100,), 10, norms=False)
