"""A task that waits where it asks: ordinary code, left in the middle and taken up again.

Each has a thread, for its stack alone: it runs only while whoever resumed it waits, so no two of
them ever run at a time, and what they do depends on their answers and on nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, Protocol, TypeVar

from tinyrobust.core.types import IntArray, Prediction

T = TypeVar("T")
_here = threading.local()


class Asker(Protocol):
    """Who asks one question after the other, the next when the last is answered."""

    def resume(self, answer: Prediction | None) -> IntArray | None:
        """The next question, None at the end. ``answer`` is that of the last, None at first."""
        ...


class Once:
    """One question, and its ``answer``."""

    def __init__(self, q: IntArray) -> None:
        self._q = q
        self.answer: Prediction | None = None

    def resume(self, answer: Prediction | None) -> IntArray | None:
        """See Asker."""
        self.answer = answer
        return self._q if answer is None else None


class _AbandonedError(BaseException):
    """Ends a task where it waits; no handler of errors is meant to hold it up."""


class Lane(Generic[T]):
    """``task``, which asks ``owner`` by ``here(owner).ask``; an Asker."""

    def __init__(self, task: Callable[[], T], owner: object) -> None:
        self.owner = owner
        self.returned: list[T] = []
        """What the task returned, empty until it did."""
        self.error: BaseException | None = None
        """What it ended with instead."""
        self._task = task
        self._questions: SimpleQueue[IntArray | None] = SimpleQueue()
        self._answers: SimpleQueue[Prediction | None] = SimpleQueue()
        # A thread that never comes back must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name="lane", daemon=True)

    def resume(self, answer: Prediction | None) -> IntArray | None:
        """See Asker."""
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._answers.put(answer)
        question = self._questions.get()
        if question is None:
            self._thread.join()
        return question

    def abandon(self) -> None:
        """Ends the task where it asks, or will ask next."""
        if not self._thread.is_alive():
            return
        self._answers.put(None)
        while self._questions.get() is not None:
            pass
        self._thread.join()

    def ask(self, q: IntArray) -> Prediction:
        """The answer to ``q``, for the task itself: others go on until it is there."""
        self._questions.put(q)
        answer = self._answers.get()
        if answer is None:
            raise _AbandonedError
        return answer

    def _run(self) -> None:
        _here.lane = self
        try:
            self.returned.append(self._task())
        except BaseException as err:
            self.error = err
        finally:
            self._questions.put(None)


def here(owner: object) -> Lane[object] | None:
    """The lane of ``owner`` that this code runs in, None outside of them."""
    lane = getattr(_here, "lane", None)
    return lane if lane is not None and lane.owner is owner else None
