"""Several askers and one rung: who is answered thinks on while it works for the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from tinyrobust.core.types import IntArray, Prediction
from tinyrobust.host.runs.asking.answers import unpacked
from tinyrobust.host.runs.asking.lanes import Asker, Lane
from tinyrobust.host.runs.asking.parts import Stream

Row = tuple[bytes, IntArray]
"""A sample under its digest."""


class Question:
    """What an asker wants to know: samples by their digests, and what is known of them."""

    def __init__(self, asker: Asker, digests: list[bytes]) -> None:
        self.asker = asker
        self.known: dict[bytes, bytes] = {}
        self._digests = digests
        self._wanted = len(set(digests))

    @property
    def complete(self) -> bool:
        """Whether all of it is known."""
        return len(self.known) == self._wanted

    @property
    def answer(self) -> Prediction:
        """To all samples in their order, once it is complete."""
        return unpacked([self.known[digest] for digest in self._digests])


Ask = Callable[[Asker, IntArray], tuple[Question, list[Row]]]
"""A question, and its samples that nobody has asked yet."""
Take = Callable[[bytes, Prediction], list[Question]]
"""Keeps the answer to a sample; the questions that it completes."""
Pause = Callable[[], None]
"""Called whenever the rung has room for more."""


class Conversation:
    """Resumes ``askers`` until all have ended."""

    def __init__(self, askers: Sequence[Asker], ask: Ask, take: Take, pause: Pause) -> None:
        self._ask, self._take, self._pause = ask, take, pause
        self._ready: deque[tuple[Asker, Prediction | None]] = deque((one, None) for one in askers)
        self._rows: deque[Row] = deque()
        self._sent: list[bytes] = []
        self._told = 0
        self._failed: list[BaseException] = []

    def hold(self, stream: Stream) -> None:
        """Asks ``stream``, unless all is known without it.

        Raises the first error of a lane, when what was under way is answered and kept.
        """
        self._think()
        if self._rows:
            for index, answer in stream(self._questions()):
                self._told += 1
                done = self._take(self._sent[index], answer)
                if not self._failed:
                    self._ready += [(question.asker, question.answer) for question in done]
        if self._failed:
            raise self._failed[0]

    def _questions(self) -> Iterator[IntArray | None]:
        """What is to be asked now; None while that depends on an answer under way."""
        while True:
            self._pause()
            self._think()
            if self._rows:
                digest, row = self._rows.popleft()
                self._sent.append(digest)
                yield row
            elif len(self._sent) > self._told:
                yield None
            else:
                return

    def _think(self) -> None:
        """Askers go on until there is something to ask, or all of them wait."""
        while self._ready and not self._rows:
            asker, answer = self._ready.popleft()
            q = asker.resume(answer)
            if q is not None:
                question, rows = self._ask(asker, q)
                self._rows += rows
                if question.complete:
                    self._ready.append((asker, question.answer))
            elif isinstance(asker, Lane) and asker.error is not None:
                self._failed.append(asker.error)
                self._ready.clear()
