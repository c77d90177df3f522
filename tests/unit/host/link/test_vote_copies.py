"""Damaged copies of one message vote: how many, of which lengths, and for how long they are
kept.
"""

import numpy as np
import pytest

from tinyrobust.core.abi.wire import Hello, Infer
from tinyrobust.host.link.frame import decode, encode
from tinyrobust.host.link.vote import COPIES, LENGTHS, MAX_BYTES, Ballot, majority

WHOLE = encode(9, Infer(3), bytes(range(40)))[:-1]


def damaged(place, whole=WHOLE, flip=0x55):
    copy = bytearray(whole)
    copy[place] ^= flip
    return bytes(copy)


def test_two_copies_are_too_few_and_three_decide():
    ballot = Ballot()
    assert [ballot.add(damaged(place)) for place in (3, 4, 5)] == [None, None, decode(WHOLE)]


def test_even_two_whole_copies_are_not_yet_a_vote():
    ballot = Ballot()
    assert [ballot.add(WHOLE) for _ in range(3)] == [None, None, decode(WHOLE)]


def test_the_most_frequent_byte_wins_and_the_earliest_a_draw():
    assert majority([b"abc", b"abd", b"xbd"]) == b"abd"
    assert majority([b"ab", b"cd"]) == b"ab"
    assert majority([b"zz", b"aa", b"aa", b"zz"]) == b"zz"


def test_nine_copies_of_eight_lengths_are_kept():
    """What docs/protocol.md says, and at most 9 * 8 * 4 KiB of memory."""
    assert (COPIES, LENGTHS, MAX_BYTES) == (9, 8, 4096)


def test_the_last_copies_count():
    """Copies that are wrong in one place outvote the right ones until the right ones push them
    out.
    """
    wrong, ballot = COPIES // 2 + 1, Ballot()
    for _ in range(wrong):
        assert ballot.add(damaged(7)) is None
    answers = [ballot.add(WHOLE) for _ in range(wrong)]
    assert answers[: COPIES - wrong] == [None] * (COPIES - wrong)
    assert answers[-1] == decode(WHOLE)


def test_copies_are_kept_by_length_and_the_length_seen_longest_ago_is_dropped():
    others = [encode(9, Infer(3), bytes(n))[:-1] for n in range(50, 50 + LENGTHS)]
    kept, dropped = Ballot(), Ballot()
    for ballot, between in ((kept, others[:-1]), (dropped, others)):
        ballot.add(damaged(3))
        ballot.add(damaged(4))
        for other in between:
            ballot.add(other)
    assert kept.add(damaged(5)) == decode(WHOLE)
    assert dropped.add(damaged(5)) is None


@pytest.mark.parametrize(
    ("size", "counted"), [(0, False), (MAX_BYTES, True), (MAX_BYTES + 1, False)]
)
def test_frames_without_length_or_too_long_have_no_vote(size, counted):
    ballot = Ballot()
    ballot.add(bytes(size))
    assert bool(ballot._copies) is counted


def test_a_cleared_ballot_has_forgotten_all():
    ballot = Ballot()
    ballot.add(damaged(3))
    ballot.add(damaged(4))
    ballot.clear()
    assert ballot.add(damaged(5)) is None


def test_five_percent_of_wrong_bytes_leave_a_message_after_nine_copies():
    rng, ballot = np.random.default_rng(0), Ballot()
    whole = encode(9, Hello(7))[:-1]
    got = None
    for _ in range(COPIES):
        noise = rng.integers(1, 256, len(whole)) * (rng.random(len(whole)) < 0.05)
        got = ballot.add((np.frombuffer(whole, np.uint8) ^ noise.astype(np.uint8)).tobytes()) or got
    assert got == decode(whole)
