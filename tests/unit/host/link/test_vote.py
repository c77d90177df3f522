"""Damaged copies of one message: given back by their vote, also where bytes are lost, doubled and
swapped.
"""

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.link.faults import Direction, Fault
from tinyrobust.core.abi.wire import ErrorReply, Profiled, Result
from tinyrobust.host.link.align import consensus
from tinyrobust.host.link.frame import encode
from tinyrobust.host.link.vote import MAX_ALIGNED_BYTES, Ballot

INFO_BYTES = 240


def copies(message, share, n, seed):
    """``n`` copies as a line with every fault brings them."""
    line = Direction(share, tuple(Fault), seed)
    return [line.carry(message) + line.carry(b"") for _ in range(n)]


@given(st.binary(min_size=1, max_size=60), st.lists(st.binary(max_size=60), min_size=1, max_size=5))
def test_what_most_copies_are_is_what_they_vote(message, others):
    same = [message] * (len(others) + 1)
    assert consensus([*same, *others], message) == message


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_copies_align(one, other):
    if one or other:
        assert consensus([one, other], one) is not None


def test_lost_and_doubled_bytes_are_outvoted():
    message = bytes(range(1, 40))
    harmed = [
        message[:5] + message[6:],
        message[:20] + message[19:],
        message[:30] + b"\x99" + message[30:],
    ]
    assert consensus([*harmed, message], harmed[0]) == message


def first_voted(message, share, seed, bound=40):
    """How many damaged copies it took until the ballot gave the message back."""
    ballot = Ballot()
    for n, copy in enumerate(copies(message, share, bound, seed), 1):
        if copy != message and ballot.add(copy):
            return n
    return bound + 1


def test_an_info_comes_back_from_a_few_copies_with_every_fault():
    draw = random.Random(1)
    took = []
    for seed in range(6):
        tail = bytes(draw.randrange(1, 256) for _ in range(INFO_BYTES))
        message = encode(7, Result(1, zlib.crc32(tail), 2), tail)[:-1]
        took.append(first_voted(message, 0.05, seed))
    assert max(took) <= 16
    assert sum(took) / len(took) <= 10


def test_a_short_answer_comes_back_too():
    message = encode(9, ErrorReply(1, 2), b"text")[:-1]
    assert all(first_voted(message, 0.05, seed) <= 40 for seed in range(6))


def test_what_is_too_long_to_be_aligned_in_time_is_not():
    ballot = Ballot()
    message = encode(9, Profiled(1, 2, 3), bytes(range(256)) * 4)[:-1]
    assert len(message) > MAX_ALIGNED_BYTES
    assert not any(ballot.add(copy) for copy in copies(message, 0.05, 12, 1))


def test_an_answer_ends_the_vote():
    ballot = Ballot()
    tail = bytes(range(1, INFO_BYTES))
    harmed = copies(encode(7, Result(1, 2, 3), tail)[:-1], 0.05, 30, 3)
    for copy in harmed[:3]:
        ballot.add(copy)
    ballot.clear()
    assert ballot.add(harmed[3]) is None


@pytest.mark.parametrize("encoded", [b"", bytes(5000)])
def test_frames_without_bytes_or_with_too_many_do_not_vote(encoded):
    assert Ballot().add(encoded) is None
