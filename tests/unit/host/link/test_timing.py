"""When the link asks again, and what it makes of every kind of answer, in virtual time."""

import zlib
from itertools import pairwise

import pytest

from tests.support.link.virtual_line import VirtualClock, VirtualLine, reply
from tinyrobust.core.abi.wire import (
    Error,
    ErrorReply,
    Hello,
    Infer,
    Layer,
    LayerData,
    Load,
    Loaded,
    Profile,
    Profiled,
    Reset,
    Result,
    Type,
)
from tinyrobust.core.errors import LinkError
from tinyrobust.host.link.exchange import LEAST_NUDGE, NUDGES, SILENCE_SECONDS, Link
from tinyrobust.host.link.frame import TYPES, Frame, encode
from tinyrobust.host.link.patience import PATIENCE_SECONDS
from tinyrobust.host.link.requests import LostError, RefusedError, Request, answers
from tinyrobust.host.link.timing import FIRST_TIMEOUT, LEAST_TIMEOUT, MOST_TIMEOUT

LOAD = Load(4, 0)
LOADED = Loaded(4, 1)


@pytest.fixture
def clock(monkeypatch):
    clock = VirtualClock()
    monkeypatch.setattr("tinyrobust.host.link.exchange.time", clock)
    return clock


def prompt(delay=0.01):
    """A board that answers LOAD after ``delay``."""
    return lambda frame, n: [(delay, reply(frame, LOADED))]


def late(*delays):
    """A board whose n-th answer takes ``delays[n]``; None for no answer, as for all that follow."""

    def board(frame, n):
        return (
            [(delays[n], reply(frame, LOADED))] if n < len(delays) and delays[n] is not None else []
        )

    return board


def asked(line, **more):
    """One LOAD over ``line``."""
    return Link(line, **more).request(LOAD, b"plan")


def test_a_board_that_never_answers_is_asked_at_doubling_intervals_and_given_up(clock):
    line = VirtualLine(clock)
    with pytest.raises(LinkError, match="the line is silent, no answer for 30 s"):
        asked(line)
    waits = [b - a for a, b in pairwise(line.times())]
    assert waits[0] == pytest.approx(FIRST_TIMEOUT[Type.LOAD])
    assert waits == pytest.approx([min(waits[0] * 2**k, MOST_TIMEOUT) for k in range(len(waits))])
    assert SILENCE_SECONDS <= clock.now - line.start <= SILENCE_SECONDS + MOST_TIMEOUT


def test_limits_are_those_of_the_protocols_page():
    assert (LEAST_TIMEOUT, MOST_TIMEOUT, LEAST_NUDGE) == (0.25, 10.0, 0.002)
    assert (SILENCE_SECONDS, PATIENCE_SECONDS) == (30.0, 300.0)
    link = Link(VirtualLine(VirtualClock()))
    assert (link.silence, link.patience) == (SILENCE_SECONDS, PATIENCE_SECONDS)


@pytest.mark.parametrize(
    ("ask", "seconds"),
    [
        (Hello(1), 0.5),
        (Reset(0), 1.0),
        (LOAD, 2.0),
        (Infer(0), 5.0),
        (Layer(0, 0), 5.0),
        (Profile(0), 5.0),
    ],
)
def test_the_first_answer_of_a_kind_has_as_long_as_its_work_may_take(clock, ask, seconds):
    line = VirtualLine(clock)
    with pytest.raises(LostError):
        Link(line).request(ask, tries=2)
    assert line.times() == [0.0, seconds]


def test_in_a_long_silence_nudges_stay_as_far_apart_and_no_read_is_longer_than_a_second(clock):
    line = VirtualLine(clock)
    with pytest.raises(LostError):
        Link(line).request(Infer(0), tries=1)
    *nudges, _ = line.times(delimiters=True)
    waits = [b - a for a, b in pairwise([0.0, *nudges])]
    assert waits == pytest.approx([waits[0] * 2**k for k in range(NUDGES)])
    assert line.longest == 1.0


def test_a_board_that_answers_at_once_is_nudged_after_two_milliseconds(clock):
    line = VirtualLine(clock, late(0.0, None, 0.0))
    link = Link(line)
    link.request(LOAD, b"plan")
    link.request(LOAD, b"plan")
    assert line.times(delimiters=True)[0] == pytest.approx(LEAST_NUDGE)


def test_between_two_transmissions_the_board_is_nudged_a_few_times_ever_more_slowly(clock):
    line = VirtualLine(clock, late(0.001, None, 0.01))
    link = Link(line)
    link.request(LOAD, b"plan")
    assert link.request(LOAD, b"plan").retries == 1
    _, first, second = line.times()
    nudges = [at for at in line.times(delimiters=True) if first < at < second]
    assert len(nudges) == NUDGES
    waits = [b - a for a, b in pairwise([first, *nudges])]
    assert waits == pytest.approx([0.003 * 2**k for k in range(NUDGES)])


def test_counters_say_what_went_over_the_wire(clock):
    line = VirtualLine(clock, late(None, 0.01))
    link = Link(line)
    link.request(LOAD, b"plan")
    counters = link.counters
    assert (
        counters.frames_sent,
        counters.frames_received,
        counters.retries,
        counters.timeouts,
    ) == (2, 1, 1, 1)
    assert (counters.damaged, counters.naks, counters.stale) == (0, 0, 0)
    assert counters.bytes_sent == sum(len(data) for _, data in line.sent)
    assert counters.bytes_received == len(encode(1, LOADED))


@pytest.mark.parametrize(
    ("delays", "timeout"),
    [
        ([0.1], 0.4),
        ([0.1, 0.2], 4 * (0.8 * 0.1 + 0.2 * 0.2)),
        ([0.1, 0.2, 0.2], 4 * (0.8 * 0.12 + 0.2 * 0.2)),
        ([0.001], LEAST_TIMEOUT),
        ([1.9] * 9 + [3.5] * 20, MOST_TIMEOUT),
    ],
)
def test_patience_follows_the_round_trips(clock, delays, timeout):
    """Four times their smoothed length, between bounds, from the moment of the transmission."""
    line = VirtualLine(clock, late(*delays, None, 0.0))
    link = Link(line)
    for _ in range(len(delays) + 1):
        link.request(LOAD, b"plan")
    *_, lost, again = line.times()
    assert again - lost == pytest.approx(timeout, abs=1e-5)


def test_the_answer_to_a_request_that_had_timed_out_times_nothing(clock):
    """It could be that of either transmission (Karn and Partridge 1987)."""
    first = FIRST_TIMEOUT[Type.LOAD]
    line = VirtualLine(clock, late(None, 1.5 * first, None, 0.0))
    link = Link(line)
    link.request(LOAD, b"plan")
    link.request(LOAD, b"plan")
    *_, lost, again = line.times()
    assert again - lost == pytest.approx(2 * first)


def test_nudges_keep_the_pace_of_the_round_trips(clock):
    line = VirtualLine(clock, late(0.1, None, 0.0))
    link = Link(line)
    link.request(LOAD, b"plan")
    link.request(LOAD, b"plan")
    lost = line.times()[1]
    first = next(at for at in line.times(delimiters=True) if at > lost)
    assert first - lost == pytest.approx(0.3)


def test_what_was_refused_as_damaged_is_sent_again_at_once(clock):
    def board(frame, n):
        return [
            (0.01, encode(0, ErrorReply(Error.BAD_FRAME, 0)) if n == 0 else reply(frame, LOADED))
        ]

    line = VirtualLine(clock, board)
    link = Link(line)
    assert link.request(LOAD, b"plan").retries == 1
    assert line.times() == pytest.approx([0, 0.01])
    assert (link.counters.naks, link.counters.damaged, link.counters.timeouts) == (1, 0, 0)


def test_after_a_damaged_answer_the_request_is_sent_again_at_once(clock):
    line = VirtualLine(clock, lambda frame, n: [(0.01, reply(frame, LOADED) if n else b"\1\2\3\0")])
    link = Link(line)
    assert link.request(LOAD, b"plan").retries == 1
    assert line.times() == pytest.approx([0, 0.01])
    assert (link.counters.naks, link.counters.damaged, link.counters.frames_received) == (0, 1, 1)


def test_an_answer_whose_end_was_lost_is_given_up_with_the_first_nudge(clock):
    line = VirtualLine(clock, lambda frame, n: [(0.01, reply(frame, LOADED)[: None if n else -1])])
    link = Link(line)
    assert link.request(LOAD, b"plan").retries == 1
    (nudge,) = line.times(delimiters=True)
    assert line.times() == [0, nudge]
    assert link.counters.damaged == 1


def test_three_copies_damaged_in_different_places_are_one_answer(clock):
    def board(frame, n):
        copy = bytearray(reply(frame, LOADED))
        copy[3 + n] ^= 0x55
        return [(0.01, bytes(copy))]

    link = Link(VirtualLine(clock, board))
    answer = link.request(LOAD, b"plan")
    assert (answer.body, answer.retries) == (LOADED, 2)
    assert (link.counters.damaged, link.counters.frames_received) == (3, 1)


def test_copies_of_an_earlier_answer_do_not_vote_on_the_next(clock):
    """What was damaged before an answer came is forgotten with it."""
    copies = iter([5, 6, None, 7, None])

    def board(frame, n):
        data, at = bytearray(reply(frame, LOADED)), next(copies)
        if at is not None:
            data[at] ^= 0x55
        return [(0.01, bytes(data))]

    link = Link(VirtualLine(clock, board))
    assert [link.request(LOAD, b"plan").retries for _ in range(2)] == [2, 1]


def test_the_answer_to_a_later_request_proves_an_earlier_one_lost(clock):
    """The board answers in order: what is unanswered by then is sent again without waiting."""
    numbers = []

    def board(frame, n):
        numbers.append(frame.seq)
        return [] if n == 6 else [(0.01, reply(frame, LOADED))]

    line = VirtualLine(clock, board)
    link = Link(line)
    got = {a.index: a.retries for a in link.exchange([Request(LOAD, b"plan")] * 12, 4)}
    assert got == {i: int(i == 6) for i in range(12)}
    assert link.counters.timeouts == 0
    assert len(numbers) == 13


class Counting(VirtualLine):
    """A board that answers each LOAD after 10 ms and notes how many were unanswered at every
    request.
    """

    def __init__(self, clock, lose=()):
        super().__init__(clock, self.answer)
        self.unanswered, self.lose = [], set(lose)

    def answer(self, frame, n):
        self.unanswered.append(sum(at > self.clock.now for at, _ in self.due) + 1)
        return [] if n in self.lose else [(0.01, reply(frame, LOADED))]


@pytest.mark.parametrize(("window", "most"), [(1, 1), (3, 3), (5, 5)])
def test_requests_under_way_grow_from_one_to_the_window(clock, window, most):
    line = Counting(clock)
    indices = [a.index for a in Link(line).exchange([Request(LOAD, b"plan")] * 40, window)]
    assert indices == list(range(40))
    assert line.unanswered[0] == 1
    assert max(line.unanswered) == most
    assert max(b - a for a, b in pairwise(line.unanswered)) <= 1


def test_after_a_loss_requests_go_one_by_one_again(clock):
    """What is under way comes home first: for one answer nothing new goes out.

    Then the window opens again.
    """
    line = Counting(clock, lose=[12])
    link = Link(line)
    sent = [len(line.frames) for _ in link.exchange([Request(LOAD, b"plan")] * 40, 4)]
    assert link.counters.retries == 1
    new = [b - a for a, b in pairwise(sent[:30])]
    assert [new.count(0), new[-1]] == [1, 1]
    assert max(line.unanswered[20:]) == 4


def test_the_window_opens_by_one_for_each_answer(clock):
    line = Counting(clock)
    sent = [len(line.frames) for _ in Link(line).exchange([Request(LOAD, b"plan")] * 12, 4)]
    assert sent == [min(12, answered + min(4, answered + 1)) for answered in range(12)]


def test_sequence_numbers_go_round_without_0(clock):
    line = VirtualLine(clock, prompt())
    link = Link(line)
    link._seq = 0xFFFD
    for _ in range(4):
        link.request(LOAD, b"plan")
    assert [frame.seq for _, frame in line.frames] == [0xFFFE, 0xFFFF, 1, 2]


def test_a_link_begins_at_a_number_of_chance(clock):
    first = []
    for _ in range(6):
        line = VirtualLine(clock, prompt())
        asked(line)
        first.append(line.frames[0][1].seq)
    assert len(set(first)) > 1
    assert all(1 <= seq <= 0xFFFF for seq in first)


@pytest.mark.parametrize("tries", [1, 2, 3])
def test_a_request_is_sent_as_often_as_it_was_given_tries(clock, tries):
    line = VirtualLine(clock)
    with pytest.raises(LostError, match=f"LOAD was lost {tries} times"):
        Link(line).request(LOAD, b"plan", tries=tries)
    assert len(line.frames) == tries


def test_a_board_that_only_talks_is_given_up_when_patience_ends(clock):
    def board(frame, n):
        return [(0.5 + 0.5 * k, encode(frame.seq ^ 0x8000, LOADED)) for k in range(40)]

    line = VirtualLine(clock, board)
    with pytest.raises(LinkError, match=r"loses frames .*, no answer for 2\d s"):
        asked(line, patience=20.0)
    assert 20 < clock.now - line.start < 20 + MOST_TIMEOUT


def test_an_answer_renews_patience_and_silence(clock):
    """Ten round trips of 3 s each outlast either limit of 10 s: each of them alone does not."""
    link = Link(VirtualLine(clock, prompt(3.0)), silence=10.0, patience=10.0)
    link._timing[Type.LOAD].timeout = 5.0
    answered = list(link.exchange([Request(LOAD, b"plan")] * 10, 1))
    assert [a.retries for a in answered] == [0] * 10


def test_frames_of_another_number_are_stale_and_change_nothing(clock):
    def board(frame, n):
        return [(0.01, encode(frame.seq % 0xFFFF + 1, LOADED)), (0.02, reply(frame, LOADED))]

    link = Link(VirtualLine(clock, board))
    assert link.request(LOAD, b"plan").retries == 0
    assert (link.counters.stale, link.counters.frames_received) == (1, 2)


def test_an_answer_of_another_type_is_stale(clock):
    def board(frame, n):
        return [(0.01, reply(frame, Result(0, 0, 0))), (0.02, reply(frame, LOADED))]

    link = Link(VirtualLine(clock, board))
    assert link.request(LOAD, b"plan").body == LOADED
    assert link.counters.stale == 1


@pytest.mark.parametrize(
    ("code", "text", "said"),
    [
        (Error.NO_PLAN, b"load one first", r"refused LOAD: NO_PLAN \(7\): load one first$"),
        (Error.NO_PLAN, b"", r"refused LOAD: NO_PLAN \(7\)$"),
        (99, b"", r"refused LOAD: error 99 \(7\)$"),
        (Error.NO_PLAN, b"\x1b[2J\xff", r"NO_PLAN \(7\): \?\[2J.$"),
    ],
)
def test_a_refusal_says_what_and_why_in_printable_text(clock, code, text, said):
    line = VirtualLine(clock, lambda frame, n: [(0.01, reply(frame, ErrorReply(code, 7), text))])
    with pytest.raises(RefusedError, match=said) as caught:
        asked(line)
    assert (caught.value.code, caught.value.detail) == (code, 7)
    assert len(line.frames) == 1


DATA = b"a sample"
CRC = zlib.crc32(DATA)


@pytest.mark.parametrize(
    ("ask", "answer", "fits"),
    [
        (Infer(5), Result(1, CRC, 5), True),
        (Infer(5), Result(1, CRC, 4), False),
        (Infer(5), Result(1, CRC, 6), False),
        (Infer(5), Result(1, CRC ^ 1, 5), False),
        (Infer(5), Result(1, 0, 5), False),
        (Infer(5), Result(1, 0xFFFFFFFF, 5), False),
        (Infer(5), LayerData(CRC, 5), False),
        (Layer(5, 2), LayerData(CRC, 2), True),
        (Layer(5, 2), LayerData(CRC, 1), False),
        (Layer(5, 2), LayerData(CRC, 3), False),
        (Layer(5, 2), LayerData(0, 2), False),
        (Layer(5, 2), LayerData(0xFFFFFFFF, 2), False),
        (Profile(5), Profiled(1, CRC, 2), True),
        (Profile(5), Profiled(1, 0, 2), False),
        (Profile(5), Profiled(1, 0xFFFFFFFF, 2), False),
        (LOAD, LOADED, True),
        (Hello(1), LOADED, False),
    ],
)
def test_an_answer_is_of_the_right_type_and_made_from_what_was_sent(ask, answer, fits):
    tail = b"" if isinstance(ask, (Load, Hello)) else DATA
    kind = next(k for k, body in TYPES.items() if k is type(answer))
    assert answers(Request(ask, tail), Frame(TYPES[kind], 1, answer)) is fits
