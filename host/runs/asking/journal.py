"""A Predictor that never asks twice: every answer is kept in a file.

So an interrupted attack goes on where it ended.

Attacks are deterministic. Run again, they ask the same questions in the same order, and the journal
answers those that were answered before, at memory speed; only then the board hears of it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from tinyrobust.core.types import IntArray, Prediction, Predictor, TensorSpec
from tinyrobust.host.runs.asking.answers import packed
from tinyrobust.host.runs.asking.conversation import Conversation, Question, Row
from tinyrobust.host.runs.asking.journal_file import DIGEST_BYTES, JournalFile
from tinyrobust.host.runs.asking.lanes import Asker, Lane, Once, here
from tinyrobust.host.runs.asking.parts import PART_SECONDS, stream_of

T = TypeVar("T")
Tick = Callable[[int, int, float], None]
"""Progress: (questions so far, of them answered by the journal, answers per second of the rung
itself so far).
"""


def _silent(asked: int, replayed: int, rate: float) -> None:
    pass


class Journaled:
    """``predictor`` with its answers kept in ``path``, under the same rung name. A context manager.

    ``identity`` states what answers: the plan's id and the firmware's image, whatever would change
    one byte. Raises UsageError where the file holds answers of another identity, is damaged in its
    head, in use, or cannot be written. The wrapped rung's errors pass through; what it answered
    before them is kept. Several tasks may ask side by side: see ``core.types.Interleaving``.
    """

    def __init__(
        self, predictor: Predictor, path: Path, identity: str, tick: Tick = _silent
    ) -> None:
        self._predictor = predictor
        self._stream = stream_of(predictor)
        self._tick = tick
        self._file = JournalFile(path, identity)
        self._open: dict[bytes, list[Question]] = {}
        self._unkept: dict[bytes, bytes] = {}
        self._kept_at = self._heard = 0.0
        self.asked = 0
        """Questions so far."""
        self.replayed = 0
        """Of them those that the journal answered."""
        self.answered = 0
        """Answers of the rung itself."""
        self.seconds = 0.0
        """That it took, from the first question to the last answer of each conversation."""

    def __enter__(self) -> Journaled:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file; the wrapped rung stays open."""
        self._file.close()

    @property
    def rung(self) -> str:
        """``native`` or ``board``; behind a journal, the rung that it journals."""
        return self._predictor.rung

    @property
    def input(self) -> TensorSpec:
        """The input grid that samples are on."""
        return self._predictor.input

    @property
    def rate(self) -> float:
        """Answers a second of the rung itself, 0 before the first."""
        return self.answered / self.seconds if self.seconds else 0.0

    def predict(self, q: IntArray) -> Prediction:
        """Answers ``q``, levels of ``input`` [n, *input.shape], without ticks and retries.

        Equal samples are asked once.
        """
        if not len(q):
            return self._predictor.predict(q)
        lane = here(self)
        if lane is not None:
            return lane.ask(q)
        once = Once(q)
        self._converse([once])
        assert once.answer is not None
        return once.answer

    def interleave(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """The rung is told the questions of one task while it answers those of another.

        See ``core.types.Interleaving``.
        """
        lanes = [Lane(task, self) for task in tasks]
        try:
            self._converse(lanes)
        finally:
            for lane in lanes:
                lane.abandon()
        return [lane.returned[0] for lane in lanes]

    def _converse(self, askers: Sequence[Asker]) -> None:
        """Each answer is in the file before it is told."""
        self._kept_at = self._heard = time.monotonic()
        self._open.clear()
        try:
            Conversation(askers, self._ask, self._take, self._pause).hold(self._stream)
        finally:
            self._keep()

    def _ask(self, asker: Asker, q: IntArray) -> tuple[Question, list[Row]]:
        flat = np.ascontiguousarray(q).reshape(len(q), -1)
        digests = [hashlib.blake2b(row.data, digest_size=DIGEST_BYTES).digest() for row in flat]
        question, rows = Question(asker, digests), []
        for digest, row in dict(zip(digests, q, strict=True)).items():
            waiting = self._open.get(digest)
            kept = self._unkept.get(digest) or self._file.get(digest)
            if waiting is not None:
                waiting.append(question)
            elif kept is not None:
                question.known[digest] = kept
            else:
                self._open[digest] = [question]
                rows.append((digest, row))
        self.asked += len(digests)
        self.replayed += len(digests) - len(rows)
        return question, rows

    def _take(self, digest: bytes, answer: Prediction) -> list[Question]:
        now = time.monotonic()
        self.seconds += now - self._heard
        self._heard = now
        self.answered += 1
        record = packed(answer)
        self._unkept[digest] = record
        asking = self._open.pop(digest)
        for question in asking:
            question.known[digest] = record
        done = [question for question in asking if question.complete]
        if done:
            self._keep()
        return done

    def _pause(self) -> None:
        if time.monotonic() - self._kept_at > PART_SECONDS:
            self._keep()

    def _keep(self) -> None:
        self._kept_at = time.monotonic()
        if self._unkept:
            records, self._unkept = self._unkept, {}
            self._file.append(list(records.items()))
            self._tick(self.asked - len(self._open), self.replayed, self.rate)
