"""A Predictor that never asks twice: every answer is kept in a file.

So an interrupted attack goes on where it ended.

Attacks are deterministic. Run again, they ask the same questions in the same order, and the journal
answers those that were answered before, at memory speed; only then the board hears of it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tinyrobust.core.types import IntArray, Prediction, Predictor, TensorSpec
from tinyrobust.host.runs.journal_file import DIGEST_BYTES, JournalFile

Tick = Callable[[int, int, float], None]
"""Progress: (questions so far, of them answered by the journal, answers per second of the rung
itself so far).
"""

PART_SECONDS = 1.0
"""About so much of a rung's work is lost by an interruption: it is asked in parts that take so
long.
"""
FIRST_PART, MOST_PART = 16, 4096


def _silent(asked: int, replayed: int, rate: float) -> None:
    pass


class Journaled:
    """``predictor`` with its answers kept in ``path``, under the same rung name. A context manager.

    ``identity`` states what answers: the plan's id and the firmware's image, whatever would change
    one byte. Raises UsageError where the file holds answers of another identity, is damaged in its
    head, in use, or cannot be written. The wrapped rung's errors pass through; what it answered
    before them is kept.
    """

    def __init__(
        self, predictor: Predictor, path: Path, identity: str, tick: Tick = _silent
    ) -> None:
        self._predictor = predictor
        self._tick = tick
        self._file = JournalFile(path, identity)
        self._part = FIRST_PART
        self.asked = 0
        """Questions so far."""
        self.replayed = 0
        """Of them those that the journal answered."""
        self.answered = 0
        """Answers of the rung itself."""
        self.seconds = 0.0
        """That they took."""

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

    def predict(self, q: IntArray) -> Prediction:
        """Answers ``q``, levels of ``input`` [n, *input.shape], without ticks and retries.

        Equal samples are asked once.
        """
        if not len(q):
            return self._predictor.predict(q)
        rows = np.ascontiguousarray(q).reshape(len(q), -1)
        digests = [hashlib.blake2b(row.data, digest_size=DIGEST_BYTES).digest() for row in rows]
        answers = {digest: self._file.get(digest) for digest in digests}
        missing = [digest for digest, answer in answers.items() if answer is None]
        first = {digest: place for place, digest in reversed(list(enumerate(digests)))}
        self.asked += len(digests)
        self.replayed += len(digests) - len(missing)
        while missing:
            part, missing = missing[: self._part], missing[self._part :]
            answers.update(self._ask(part, q[[first[digest] for digest in part]]))
            self._tick(self.asked - len(missing), self.replayed, self.rate)
        return _unpack(b"".join(answers[digest] or b"" for digest in digests), len(digests))

    @property
    def rate(self) -> float:
        """Answers a second of the rung itself, 0 before the first."""
        return self.answered / self.seconds if self.seconds else 0.0

    def _ask(self, digests: list[bytes], q: IntArray) -> list[tuple[bytes, bytes]]:
        started = time.monotonic()
        prediction = self._predictor.predict(q)
        elapsed = time.monotonic() - started
        self.seconds += elapsed
        self.answered += len(q)
        if len(q) == self._part:
            self._part = int(
                min(max(FIRST_PART, len(q) * PART_SECONDS / max(elapsed, 1e-6)), MOST_PART)
            )
        records = list(zip(digests, _pack(prediction), strict=True))
        self._file.append(records)
        return records


def _pack(prediction: Prediction) -> list[bytes]:
    """Each sample's answer as bytes.

    One byte: the bytes of a raw output, 0 where there are none; logits float32, then raw outputs,
    both little-endian.
    """
    logits = np.ascontiguousarray(prediction.logits, "<f4")
    if prediction.raw is None:
        return [b"\0" + row.tobytes() for row in logits]
    return [
        bytes([raw.itemsize]) + row.tobytes() + raw.astype(f"<i{raw.itemsize}").tobytes()
        for row, raw in zip(logits, prediction.raw, strict=True)
    ]


def _unpack(answers: bytes, n: int) -> Prediction:
    rows = np.frombuffer(answers, np.uint8).reshape(n, -1)
    each = int(rows[0, 0])
    outputs = (rows.shape[1] - 1) // (4 + each)
    logits = np.ascontiguousarray(rows[:, 1 : 1 + 4 * outputs]).view("<f4").astype(np.float32)
    raw = np.ascontiguousarray(rows[:, 1 + 4 * outputs :]).view(f"<i{each}") if each else None
    return Prediction(logits, raw)
