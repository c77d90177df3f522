"""Askers side by side: the same answers as one after the other, and a rung that is kept busy."""

import threading

import numpy as np
import pytest

from tests.unit.host.runs.asking.test_journal import SPEC, Rung, same, samples
from tinyrobust.core.errors import LinkError
from tinyrobust.core.types import Prediction
from tinyrobust.host.runs.asking.journal import Journaled


class Streamed(Rung):
    """Answers one sample at a time, holds ``window`` of them, and notes how many it holds then."""

    def __init__(self, window=4, **says):
        super().__init__(**says)
        self.window, self.held = window, []

    def answers(self, questions):
        waiting, told = [], 0
        while True:
            for q in questions:
                if q is None:
                    break
                waiting.append(q)
                if len(waiting) == self.window:
                    break
            if not waiting:
                return
            self.held.append(len(waiting))
            answer = self.predict(waiting.pop(0)[None])
            yield told, Prediction(answer.logits, answer.raw)
            told += 1


def walk(journaled, seed, steps=12, n=4):
    """Asks about ``n`` samples ``steps`` times, each time about what the last answers say."""

    def task():
        rng = np.random.default_rng(seed)
        q = rng.integers(-100, 100, (n, *SPEC.shape), np.int8)
        for _ in range(steps):
            answer = journaled.predict(q)
            q = np.clip(q + answer.raw[:, :1, None] // 8 + rng.integers(-3, 4, q.shape), -128, 127)
            q = q.astype(np.int8)
        return q

    return task


def test_side_by_side_is_as_one_after_the_other(tmp_path):
    with Journaled(Rung(), tmp_path / "one", "plan") as journaled:
        expected = [walk(journaled, seed)() for seed in range(3)]
        questions = journaled.answered
    for rung in (Rung(), Streamed(), Streamed(1), Streamed(100)):
        with Journaled(rung, tmp_path / f"{id(rung)}", "plan") as journaled:
            made = journaled.interleave([walk(journaled, seed) for seed in range(3)])
            assert journaled.answered == questions
        assert np.array_equal(made, expected)


def test_while_one_thinks_the_rung_has_the_questions_of_the_other(tmp_path):
    alone, together = Streamed(8), Streamed(8)
    with Journaled(alone, tmp_path / "alone", "plan") as journaled:
        walk(journaled, 0)()
    with Journaled(together, tmp_path / "together", "plan") as journaled:
        journaled.interleave([walk(journaled, seed) for seed in (0, 1)])
    assert alone.held.count(1) == 12, "after its last answer of a step it has nothing to do"
    assert min(together.held[:-4]) == 5, "one lane's four, and the last of the other's"


def test_a_task_asks_what_another_is_being_told(tmp_path):
    rung = Streamed()
    with Journaled(rung, tmp_path / "j", "plan") as journaled:
        one, two = journaled.interleave([walk(journaled, 0), walk(journaled, 0)])
    assert np.array_equal(one, two)
    assert rung.asked == 12 * 4


def test_what_is_known_is_replayed_without_the_rung(tmp_path):
    with Journaled(Streamed(), tmp_path / "j", "plan") as journaled:
        first = journaled.interleave([walk(journaled, seed) for seed in (0, 1)])
    silent = Streamed()
    silent.answers = None
    with Journaled(silent, tmp_path / "j", "plan") as journaled:
        again = journaled.interleave([walk(journaled, seed) for seed in (0, 1)])
    assert np.array_equal(first, again)


def test_one_that_fails_ends_the_others_and_what_was_under_way_is_kept(tmp_path):
    def failing(journaled):
        journaled.predict(samples(4))
        raise ZeroDivisionError("of the attack")

    rung, threads = Streamed(8), threading.active_count()
    with Journaled(rung, tmp_path / "j", "plan") as journaled:
        tasks = [walk(journaled, 1), lambda: failing(journaled)]
        with pytest.raises(ZeroDivisionError, match="of the attack"):
            journaled.interleave(tasks)
        assert threading.active_count() == threads
        same(journaled.predict(samples(4)), Rung().predict(samples(4)))
    asked = rung.asked
    assert asked < 12 * 4
    again = Streamed()
    with Journaled(again, tmp_path / "j", "plan") as journaled:
        walk(journaled, 1)()
    assert again.asked == 12 * 4 - (asked - 4)


def test_a_rung_that_is_lost_ends_all_and_what_it_answered_is_kept(tmp_path):
    threads = threading.active_count()
    with (
        Journaled(Streamed(fails_after=30), tmp_path / "j", "plan") as journaled,
        pytest.raises(LinkError, match="gone"),
    ):
        journaled.interleave([walk(journaled, seed) for seed in (0, 1)])
    assert threading.active_count() == threads
    rung = Streamed()
    with Journaled(rung, tmp_path / "j", "plan") as journaled:
        journaled.interleave([walk(journaled, seed) for seed in (0, 1)])
    assert rung.asked == 2 * 12 * 4 - 30


def test_an_interruption_ends_the_lanes(tmp_path):
    class Interrupted(Streamed):
        def predict(self, q):
            if self.asked == 10:
                raise KeyboardInterrupt
            return super().predict(q)

    threads = threading.active_count()
    with (
        Journaled(Interrupted(), tmp_path / "j", "plan") as journaled,
        pytest.raises(KeyboardInterrupt),
    ):
        journaled.interleave([walk(journaled, seed) for seed in (0, 1)])
    assert threading.active_count() == threads


def test_answers_of_sixteen_bits_come_back_as_they_were(tmp_path):
    class Wide(Rung):
        def predict(self, q):
            raw = q.reshape(len(q), -1)[:, :5].astype(np.int16) * 200
            return Prediction(raw * np.float32(0.1), raw)

    q = samples(20)
    for _ in range(2):
        with Journaled(Wide(), tmp_path / "j", "plan") as journaled:
            answer = journaled.predict(q)
        assert answer.raw.dtype == np.int16
        assert np.array_equal(answer.raw, Wide().predict(q).raw)
        assert np.array_equal(answer.logits, Wide().predict(q).logits)
