"""Data on a model's int8 input lattice: the digits that ship with scikit-learn, and the splits
every recipe gets.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.types import Dataset, Int8Array, Int64Array


@dataclass(frozen=True)
class Splits:
    """Four parts of one data set that share no sample. Calibration is never taken from test."""

    train: Dataset
    validation: Dataset
    calibration: Dataset
    test: Dataset


def dataset(name: str, q: Int8Array, labels: Int64Array) -> Dataset:
    """A ``Dataset`` with its content hash."""
    q, labels = np.ascontiguousarray(q, np.int8), np.ascontiguousarray(labels, np.int64)
    digest = hashlib.sha256(repr((name, q.shape)).encode())
    digest.update(q.data)
    digest.update(labels.data)
    return Dataset(name, q, labels, digest.hexdigest())


def to_lattice(pixels: NDArray[np.uint8]) -> Int8Array:
    """uint8 0..255 to int8 -128..127."""
    q: Int8Array = (pixels ^ np.uint8(0x80)).view(np.int8)
    return q


def stratified(labels: Int64Array, sizes: tuple[int, ...], seed: int) -> list[NDArray[np.int64]]:
    """Disjoint row numbers, ``sizes`` of them and then the rest, each part with the classes' own
    proportions.

    Rows are shuffled within their class and interleaved, so that every prefix is balanced.
    """
    rng = np.random.default_rng(seed)
    keys = np.empty(len(labels))
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        keys[rows] = (np.arange(len(rows)) + rng.random()) / len(rows)
    order = np.argsort(keys, kind="stable")
    parts, at = [], 0
    for size in sizes:
        parts.append(order[at : at + size].astype(np.int64))
        at += size
    parts.append(order[at:].astype(np.int64))
    return parts
