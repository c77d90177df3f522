"""Answers as the bytes of a journal's records, and back."""

from __future__ import annotations

import numpy as np

from tinyrobust.core.types import Prediction


def packed(answer: Prediction) -> bytes:
    """One sample's answer.

    A byte, how many an element of the raw outputs has (0: there are none); logits float32,
    little-endian; raw outputs, little-endian.
    """
    logits = np.ascontiguousarray(answer.logits[0], "<f4").tobytes()
    if answer.raw is None:
        return b"\0" + logits
    raw = answer.raw[0]
    little: bytes = raw.astype(raw.dtype.newbyteorder("<")).tobytes()
    return bytes([raw.dtype.itemsize]) + logits + little


def unpacked(answers: list[bytes]) -> Prediction:
    """The answers to one or more samples, all of them of one rung."""
    rows = np.frombuffer(b"".join(answers), np.uint8).reshape(len(answers), -1)
    width = int(rows[0, 0])
    outputs = (rows.shape[1] - 1) // (4 + width)
    logits = np.ascontiguousarray(rows[:, 1 : 1 + 4 * outputs]).view("<f4").astype(np.float32)
    if not width:
        return Prediction(logits)
    raw = np.ascontiguousarray(rows[:, 1 + 4 * outputs :]).view(f"<i{width}")
    return Prediction(logits, raw.astype(raw.dtype.newbyteorder("=")))
