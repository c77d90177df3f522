"""Requests and their answers over a lossy port: sequence numbers, a window, retries.

Nothing is ever mislabelled.

The board answers strictly in the order of what it receives. So an answer, a NAK (ERROR with
sequence 0) or a damaged frame tells that every transmission before the one it belongs to is
settled: what is not answered by then was lost and is sent again at once. Timeouts are left for what
vanishes whole, and damaged copies of one answer vote (host/link/vote.py). When it falls silent the
host first sends a lone delimiter: it ends a frame whose own delimiter was damaged, which the board
then NAKs.
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tinyrobust.core.abi.wire import Type
from tinyrobust.core.errors import LinkError
from tinyrobust.core.plain import printable
from tinyrobust.core.progress import Say
from tinyrobust.host.link.frame import (
    Damaged,
    Deframer,
    Frame,
    decoded_size,
    encode,
    encoded_bound,
)
from tinyrobust.host.link.noise import Noise
from tinyrobust.host.link.patience import PATIENCE_SECONDS, Patience, silent, unanswered
from tinyrobust.host.link.ports import Port
from tinyrobust.host.link.requests import (
    Answer,
    Counters,
    LostError,
    RefusedError,
    Request,
    SilentError,
    answers,
)
from tinyrobust.host.link.timing import FIRST_TIMEOUT, MOST_TIMEOUT, Timing
from tinyrobust.host.link.vote import Ballot

LEAST_NUDGE, NUDGES = 0.002, 4
SILENCE_SECONDS = 30.0
"""Without one intact frame for so long, the board is given up."""
MOST_CONTRADICTIONS = 20
"""Intact answers in a row that bear a request's number and answer something else: no noise makes
them.
"""

_ENDED = object()


@dataclass
class _Flight:
    """A request under way."""

    index: int
    request: Request
    wire: bytes
    sent: float
    retries: int = 0
    timed_out: bool = False


@dataclass
class Link:
    """One conversation with one board. Not for use from several threads."""

    port: Port
    silence: float = SILENCE_SECONDS
    patience: float = PATIENCE_SECONDS
    say: Say = silent
    counters: Counters = field(default_factory=Counters)
    deframer: Deframer = field(default_factory=Deframer)

    def __post_init__(self) -> None:
        # A board that still answers an earlier host must not meet our numbers.
        self._seq = secrets.randbelow(0xFFFF)
        self._timing = {kind: Timing(seconds) for kind, seconds in FIRST_TIMEOUT.items()}
        self._open_window = 1
        self._ballot = Ballot()
        self.noise = Noise()
        self._patience = Patience(self.patience, self.say, self.noise)

    def request(self, body: Any, tail: bytes = b"", tries: int | None = None) -> Answer:
        """Sends one message and returns its answer.

        Raises RefusedError, LostError after ``tries`` losses, else LinkError.
        """
        for answer in self.exchange([Request(body, tail)], 1, tries):
            return answer
        raise AssertionError("an exchange ends with its answers or an error")

    def exchange(
        self, requests: Iterable[Request | None], window: int, tries: int | None = None
    ) -> Iterator[Answer]:
        """Answers, each with the index of its request, at most ``window`` requests unanswered.

        None among ``requests`` says that the next one depends on an answer under way: they are
        asked again after it. Errors as in request.
        """
        waiting, count = iter(requests), itertools.count()
        flights: dict[int, _Flight] = {}  # by sequence number, in the order of transmission
        start = time.monotonic()
        clock = _Clock(heard=start, moved=start)
        self._patience.begin(start)
        more = True
        while True:
            while more and len(flights) < min(window, self._open_window):
                request = next(waiting, _ENDED)
                more = request is not _ENDED
                if not isinstance(request, Request):
                    break
                seq = self._next_seq()
                flights[seq] = _Flight(
                    next(count), request, encode(seq, request.body, request.tail), 0.0
                )
                self._transmit(flights[seq], clock)
            if not flights:
                return
            lost: list[int] = []
            before = self.counters.bytes_received
            for frame in self._receive(flights, clock, lost):
                yield from self._settle(frame, flights, clock, lost)
            for seq in lost:
                if seq in flights:
                    # To the end: the order is that of transmission.
                    flight = flights[seq] = flights.pop(seq)
                    flight.retries += 1
                    self.counters.retries += 1
                    self._open_window = 1
                    if tries is not None and flight.retries >= tries:
                        raise LostError(f"{flight.request.type.name} was lost {tries} times")
                    self._transmit(flight, clock)
            # Bytes that end no frame lose no request, and may come for ever.
            if flights and (lost or self.counters.bytes_received > before):
                self._bear(clock, len(lost), len(next(iter(flights.values())).wire))

    def _bear(self, clock: _Clock, lost: int, size: int) -> None:
        """``lost`` requests, the oldest of ``size`` bytes, went out again; none where bytes came.

        Raises LinkError where to go on is hopeless.
        """
        now = time.monotonic()
        if now - clock.heard > self.silence:
            raise LinkError(
                f"the line brings no intact frame ({self.counters.damaged} damaged ones), "
                f"{unanswered(self.silence)}: another rate, other firmware, or a line too noisy"
            )
        self._patience.check(now, lost, size)

    def _next_seq(self) -> int:
        self._seq = self._seq % 0xFFFF + 1  # 1..65535: 0 is the board's NAK
        return self._seq

    def _transmit(self, flight: _Flight, clock: _Clock) -> None:
        self._write(flight.wire)
        self.counters.frames_sent += 1
        self._patience.sent()
        clock.moved = flight.sent = time.monotonic()
        clock.nudges = 0

    def _write(self, data: bytes) -> None:
        self.counters.bytes_sent += len(data)
        self.port.write(data)

    def _receive(
        self, flights: dict[int, _Flight], clock: _Clock, lost: list[int]
    ) -> list[Frame | Damaged]:
        """The frames that came; in silence nudges the board, or adds to ``lost``, or gives up."""
        oldest = next(iter(flights))
        timing = self._timing[flights[oldest].request.type]
        pause = self._nudge_pause(timing) * (1 << clock.nudges)
        due = flights[oldest].sent + timing.timeout
        now = time.monotonic()
        wake = min(due, clock.moved + pause) if clock.nudges < NUDGES else due
        data = self.port.read(min(max(wake - now, 0.0), 1.0))
        now = time.monotonic()
        if data:
            self.counters.bytes_received += len(data)
            clock.moved = now
            return self.deframer.feed(data)
        if now - clock.heard > self.silence:
            raise SilentError(
                f"the line is silent, {unanswered(self.silence)}: "
                "is the right firmware running? reset the board"
            )
        if now >= due:
            self.counters.timeouts += 1
            timing.timeout = min(2 * timing.timeout, MOST_TIMEOUT)
            flights[oldest].timed_out = True
            self._write(b"\0")
            lost.append(oldest)
        elif now >= clock.moved + pause and clock.nudges < NUDGES:
            clock.nudges += 1
            clock.moved = now
            self._write(b"\0")
            if self.deframer.unfinished:
                self.deframer.drop()
                return [Damaged(b"")]
        return []

    def _nudge_pause(self, timing: Timing) -> float:
        known = timing.smooth
        if known is None:
            known = min(
                (t.smooth for t in self._timing.values() if t.smooth is not None), default=0.05
            )
        return min(max(LEAST_NUDGE, 3 * known), timing.timeout)

    def _settle(
        self, frame: Frame | Damaged, flights: dict[int, _Flight], clock: _Clock, lost: list[int]
    ) -> Iterator[Answer]:
        """Yields the answer that ``frame`` is, if any, and adds to ``lost`` what it proves lost."""
        if isinstance(frame, Damaged):
            self.counters.damaged += 1
            self.noise.hear(len(frame.encoded), whole=False)
            voted = self._ballot.add(frame.encoded)
            if voted is not None and voted.seq in flights:
                frame = voted
        elif flights:
            self._learn(frame, flights)
        if isinstance(frame, Frame):
            self.counters.frames_received += 1
            clock.heard = time.monotonic()
        if isinstance(frame, Damaged) or (frame.type is Type.ERROR and frame.seq == 0):
            self.counters.naks += isinstance(frame, Frame)
            lost += [seq for seq in flights if seq not in lost][:1]
            return
        flight = flights.get(frame.seq)
        if flight is None:
            self.counters.stale += 1
            return
        if frame.type is Type.ERROR:
            text = printable(frame.tail.decode("utf-8", "replace"))
            raise RefusedError(flight.request.type, frame.body, text)
        if not answers(flight.request, frame):
            self.counters.stale += 1
            clock.contradictions += 1
            if clock.contradictions > MOST_CONTRADICTIONS:
                what = f"{frame.type.name}, or that of another sample or network"
                raise LinkError(
                    f"the board answers {flight.request.type.name} with {what}: "
                    "flash its firmware again"
                )
            lost += [frame.seq] if frame.seq not in lost else []
            return
        lost += [seq for seq in _before(flights, frame.seq) if seq not in lost]
        del flights[frame.seq]
        if not flight.timed_out:
            self._timing[flight.request.type].sample(clock.heard - flight.sent)
        if flight.retries == 0:
            self._open_window += 1
        clock.contradictions = 0
        self._patience.answered(clock.heard)
        self._ballot.clear()
        yield Answer(flight.index, frame.body, frame.tail, flight.retries)

    def _learn(self, frame: Frame, flights: dict[int, _Flight]) -> None:
        """What a frame that came intact says of the line, both ways."""
        size = encoded_bound(decoded_size(frame.body, frame.tail))
        self.noise.hear(size, whole=True)
        nak = frame.type is Type.ERROR and frame.seq == 0
        flight = next(iter(flights.values())) if nak else flights.get(frame.seq)
        if flight is not None:
            self.noise.told(len(flight.wire), whole=not nak, by=size)


@dataclass
class _Clock:
    """Moments of an exchange: last intact frame, last byte either way; what came since then."""

    heard: float
    moved: float
    nudges: int = 0
    contradictions: int = 0


def _before(flights: dict[int, _Flight], seq: int) -> list[int]:
    order = list(flights)
    return order[: order.index(seq)]
