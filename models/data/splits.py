"""The four parts of a data set on the int8 input grid, and how rows are drawn into them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.types import Dataset, Int64Array, IntArray


@dataclass(frozen=True)
class Splits:
    """Four parts of one data set that share no sample. Calibration is never taken from test."""

    train: Dataset
    validation: Dataset
    calibration: Dataset
    test: Dataset


def dataset(name: str, q: IntArray, labels: Int64Array) -> Dataset:
    """A ``Dataset`` with its content hash; ``q`` int8, or int16 on a finer grid."""
    dtype = np.int16 if q.dtype == np.int16 else np.int8
    q, labels = np.ascontiguousarray(q, dtype), np.ascontiguousarray(labels, np.int64)
    digest = hashlib.sha256(repr((name, q.shape)).encode())
    digest.update(q.data)
    digest.update(labels.data)
    return Dataset(name, q, labels, digest.hexdigest())


def to_input_grid(pixels: NDArray[np.uint8]) -> IntArray:
    """uint8 0..255 to int8 -128..127."""
    q: IntArray = (pixels ^ np.uint8(0x80)).view(np.int8)
    return q


Part = Callable[[str, Int64Array], Dataset]
"""Rows of a data set, under the name of a part."""


def of_pixels(name: str, images: NDArray[np.uint8], labels: Int64Array) -> Part:
    """Parts of data set ``name`` made of rows of ``images`` uint8 [n, ...] and ``labels`` [n]."""
    return lambda kind, rows: dataset(f"{name}/{kind}", to_input_grid(images[rows]), labels[rows])


def divided(part: Part, labels: Int64Array, sizes: tuple[int, int], test: Dataset) -> Splits:
    """Calibration and validation of ``sizes`` drawn by class; training has the rest, in order.

    ``labels`` are those of the rows that ``part`` takes, none of which is in ``test``.
    """
    calibration, validation, train = stratified(labels, sizes, seed=0)
    return Splits(
        part("train", np.sort(train)),
        part("validation", validation),
        part("calibration", calibration),
        test,
    )


def stratified(labels: Int64Array, sizes: tuple[int, ...], seed: int) -> list[NDArray[np.int64]]:
    """Disjoint row numbers, ``sizes`` of them and then the rest, each with all classes' shares.

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
