"""Foolbox's decision attacks on a source that can only be asked.

Foolbox runs on numpy here, without TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinyrobust.attacks.black_box.queries import Decisions
from tinyrobust.core.types import FloatArray, Int64Array, TensorSpec


def run_foolbox(
    queries: Decisions, at: Int64Array, seed: int, attack: Any, **start: FloatArray
) -> None:
    """Runs a Foolbox attack that minimises on the samples ``at``; what it finds, ``queries`` keeps.

    ``start`` may give its ``starting_points`` [k, *shape] in levels. Foolbox sees pixels from 0 to
    1 and two classes: 0 for the label, 1 for any other. numpy's global generator, which it draws
    from, is left as it was, and what others draw from it while this asks changes nothing here.
    """
    if not len(at):
        return
    import foolbox

    outside = np.random.get_state()

    def classes(pixels: FloatArray) -> FloatArray:
        with _drawing_from(outside):
            fooled = queries.adversarial(at, to_levels(pixels, queries.spec))
        return np.eye(2, dtype=np.float32)[fooled.astype(np.int64)]

    model = foolbox.NumPyModel(classes, bounds=(0, 1), data_format="channels_last")
    leave = foolbox.criteria.Misclassification(np.zeros(len(at), np.int64))
    points = {name: to_pixels(value, queries.spec) for name, value in start.items()}
    with _drawing_from(np.random.RandomState(seed % 2**32).get_state()):
        attack.run(model, to_pixels(queries.clean[at], queries.spec), leave, **points)


def to_pixels(levels: FloatArray, spec: TensorSpec) -> FloatArray:
    """The levels of ``spec`` to 0 .. 1."""
    return np.asarray((levels - spec.bottom) / spec.steps, np.float32)


def to_levels(pixels: FloatArray, spec: TensorSpec) -> FloatArray:
    """0 .. 1 to the levels of ``spec``."""
    return np.asarray(pixels * spec.steps + spec.bottom, np.float32)


@contextmanager
def _drawing_from(state: Any) -> Iterator[None]:
    """numpy's global generator, which eagerpy draws from, stands at ``state`` in here alone."""
    before = np.random.get_state()
    np.random.set_state(state)
    try:
        yield
    finally:
        np.random.set_state(before)
