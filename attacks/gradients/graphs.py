"""A source's logits as one TensorFlow graph over pixels in [0, 1], and loops compiled around it.

Pixels are the input range as a fraction, ``(real - low) / (high - low)``: the unit in which attacks
were published, so that their constants hold for any network. The input grid is ``k / steps``: of
an int8 input ``k / 255``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache
from typing import Any

import numpy as np

from tinyrobust.attacks.base.problem import Lattice, Problem
from tinyrobust.attacks.gradients.lazy import tf
from tinyrobust.core.types import BoolArray, Differentiable, FloatArray

Tensor = Any
"""A ``tf.Tensor``. TensorFlow ships no types that mypy --strict can use."""


class SourceGraph:
    """One source, compiled once.

    ``logits`` of pixels float32 [n, *shape] are float32 [n, classes].
    """

    def __init__(self, source: Differentiable) -> None:
        self.source = source
        self.pixels = tf.TensorSpec((None, *source.input.shape), tf.float32)
        self.labels = tf.TensorSpec((None,), tf.int64)
        low, span = source.input.low, source.input.high - source.input.low
        self.logits: Callable[[Tensor], Tensor] = tf.function(
            lambda pixels: source.logits(pixels * span + low), input_signature=[self.pixels]
        )
        self.classes = int(self.logits(tf.zeros((1, *source.input.shape))).shape[1])
        self._loops: dict[Hashable, Any] = {}

    def compiled(self, build: Callable[..., Any], *how: Hashable) -> Any:
        """``build(self, *how)``, built by the first call.

        One trace serves every batch size, budget and seed.
        """
        key = (build, *how)
        if key not in self._loops:
            self._loops[key] = build(self, *how)
        return self._loops[key]

    def fooled(self, pixels: Tensor, labels: Tensor) -> BoolArray:
        """Which of ``pixels`` the source does not give their label, bool [n]."""
        found: BoolArray = np.asarray(self.logits(pixels)).argmax(axis=1) != np.asarray(labels)
        return found


Seen = Callable[[Tensor], Tensor]
"""Pixels [n, *shape] to what the source makes of them, of the same shape."""


def as_they_are(pixels: Tensor) -> Tensor:
    """What a source sees that is given real values."""
    return pixels


@cache
def on_a_grid(steps: int) -> Seen:
    """What a source sees that rounds to an input grid of so many ``steps``.

    The same function again for the same grid: what is compiled around it is kept.
    """
    return lambda pixels: tf.round(pixels * steps) / steps


def seen_by(problem: Problem) -> Seen:
    """By it an attack measures what it has found: the size that counts is that on the grid."""
    return on_a_grid(problem.spec.steps) if problem.lattice is Lattice.INNER else as_they_are


KEPT = 2
"""Graphs: attacks that round inside their loop and those that do not take turns at one source."""

_last: list[SourceGraph] = []


def graph(problem: Problem) -> SourceGraph:
    """The graph of the problem's source.

    Kept for the next cell, until ``KEPT`` other sources have been asked for.
    """
    source = problem.differentiable()
    found = next((one for one in _last if one.source is source), None) or SourceGraph(source)
    _last[:] = [found, *(one for one in _last if one is not found)][:KEPT]
    return found


def clean(problem: Problem) -> FloatArray:
    """The clean samples as pixels, float32 [n, *shape] in [0, 1]."""
    spec = problem.spec
    pixels: FloatArray = (problem.q.astype(np.float32) - spec.bottom) / np.float32(spec.steps)
    return pixels


def real(problem: Problem, pixels: Tensor) -> FloatArray:
    """Pixels in the real units of ``problem.spec``: what an attack returns."""
    found: FloatArray = np.asarray(pixels, np.float32) * np.float32(problem.span) + np.float32(
        problem.spec.low
    )
    return found
