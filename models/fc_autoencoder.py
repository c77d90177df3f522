"""The anomaly-detection autoencoder of MLPerf Tiny v1.0: 640 inputs, a waist of 8, 640 outputs; 264 k MACs."""

from __future__ import annotations

from models.dense_chain import DenseChain

CHAIN = DenseChain("fc_autoencoder", 640, (128, 128, 128, 128, 8, 128, 128, 128, 128), 640, norms=True)
