"""Batches of a slow rung become short, so that records and progress come; those of a quick one stay
as they are.
"""

import numpy as np
import pytest

from tests.support.link.faults import Clock
from tinyrobust.core.cells import AdversarialSet, Cell
from tinyrobust.core.types import Prediction
from tinyrobust.host.runs import recorder
from tinyrobust.host.runs.recorder import Recorder

N = 200


class Rung:
    """Takes ``seconds`` per sample on ``clock``; ``asked`` are its batches."""

    rung = "board"

    def __init__(self, clock, seconds):
        self.clock, self.seconds, self.asked = clock, seconds, []

    def predict(self, q):
        self.asked.append(len(q))
        self.clock.now += self.seconds * len(q)
        return Prediction(np.zeros((len(q), 2), np.float32))


class Kept:
    """What a Recorder needs of a store."""

    def __init__(self):
        self.tables = []

    @property
    def recorded(self):
        return sum(map(len, self.tables))

    def done(self, rung, cell):
        return np.zeros(N, bool)

    def append(self, table):
        self.tables.append(table)


@pytest.mark.parametrize(
    ("seconds", "first"),
    [(0.0, [64, 64, 64, 8]), (0.1, [64, 64, 64, 8]), (5.0, [64, 1, 1]), (0.25, [64, 8, 8])],
)
def test_a_slow_rung_is_asked_in_short_batches(monkeypatch, seconds, first):
    clock, kept = Clock(), Kept()
    monkeypatch.setattr(recorder, "time", clock)
    rung, zeros, ticks = Rung(clock, seconds), np.zeros(N, np.float32), []
    made = AdversarialSet(
        Cell("clean", "-", 0.0), np.zeros((N, 4), np.int8), 0, *[zeros] * 5, zeros > 0
    )
    Recorder(kept, np.zeros(N, np.int64), N, lambda *say: ticks.append(say[1])).cell(rung, made)
    assert rung.asked[: len(first)] == first
    assert sum(rung.asked) == kept.recorded == N
    assert ticks[-1] == N
