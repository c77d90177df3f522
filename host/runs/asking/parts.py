"""A rung that answers whole batches, asked one sample after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np

from tinyrobust.core.types import IntArray, Prediction, Predictor
from tinyrobust.host.devices.target import Streaming

Stream = Callable[[Iterator[IntArray | None]], Iterator[tuple[int, Prediction]]]
"""See ``Streaming.answers``."""

PART_SECONDS = 1.0
"""About so much of a rung's work is lost by an interruption: it is asked in parts that take so
long.
"""
FIRST_PART, MOST_PART = 16, 4096


def stream_of(predictor: Predictor) -> Stream:
    """The answers of ``predictor`` as they come, or part by part where it has no such thing."""
    return predictor.answers if isinstance(predictor, Streaming) else _Parts(predictor).answers


class _Parts:
    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._part = FIRST_PART

    def answers(self, questions: Iterator[IntArray | None]) -> Iterator[tuple[int, Prediction]]:
        """See Streaming."""
        answered = 0
        while part := self._next(questions):
            started = time.monotonic()
            prediction = self._predictor.predict(np.stack(part))
            self._learn(len(part), time.monotonic() - started)
            for i in range(len(part)):
                yield answered + i, _row(prediction, i)
            answered += len(part)

    def _next(self, questions: Iterator[IntArray | None]) -> list[IntArray]:
        part: list[IntArray] = []
        for q in islice(questions, self._part):
            if q is None:
                break
            part.append(q)
        return part

    def _learn(self, n: int, seconds: float) -> None:
        if n == self._part:
            most = n * PART_SECONDS / max(seconds, 1e-6)
            self._part = int(min(max(FIRST_PART, most), MOST_PART))


def _row(prediction: Prediction, i: int) -> Prediction:
    raw = prediction.raw
    return Prediction(prediction.logits[i : i + 1], None if raw is None else raw[i : i + 1])
