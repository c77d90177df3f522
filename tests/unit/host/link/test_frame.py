"""Frames: what goes in comes out, in any pieces; what is damaged never becomes a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.paths import GOLDEN
from tinyrobust.core.abi.wire import Error, ErrorReply, Hello, Infer, Load, Type
from tinyrobust.host.link.frame import GREETING, Damaged, Deframer, Frame, decode, encode
from tinyrobust.host.link.vote import Ballot

words = st.integers(0, 2**32 - 1)
bodies = st.one_of(
    st.tuples(st.builds(Hello, words), st.just(b"")),
    st.tuples(st.builds(Infer, words), st.binary(max_size=600)),
    st.tuples(st.builds(Load, words, words), st.binary(max_size=600)),
    st.tuples(st.builds(ErrorReply, st.sampled_from(Error), words), st.binary(max_size=120)),
)
messages = st.lists(st.tuples(st.integers(0, 0xFFFF), bodies), max_size=6)


@given(messages, st.randoms())
def test_round_trip_in_any_pieces(sent, random):
    stream = b"".join(encode(seq, *body) for seq, body in sent)
    deframer, got = Deframer(), []
    while stream:
        cut = random.randint(1, len(stream))
        got += deframer.feed(stream[:cut])
        stream = stream[cut:]
    assert [(f.seq, (f.body, f.tail)) for f in got] == sent
    assert not deframer.unfinished


@given(st.integers(1, 0xFFFF), bodies, st.randoms())
def test_any_damage_is_seen(seq, body, random):
    wire = bytearray(encode(seq, *body)[:-1])
    at = random.randrange(len(wire))
    wire[at] ^= random.randint(1, 255)
    assert decode(bytes(wire)) is None
    assert decode(bytes(wire[:at])) is None


@given(st.binary(max_size=2000))
def test_noise_is_no_message(noise):
    for frame in Deframer().feed(noise + b"\0"):
        assert isinstance(frame, Damaged)


@given(st.integers(1, 80))
def test_a_boards_greeting_is_neither_a_frame_nor_damage(size):
    """What a board says when it starts, in pieces. The frame that it broke off is damage."""
    whole = encode(7, Hello(1))
    said = GREETING + b"nucleo_f746: 216 MHz from HSE; 115200 baud\r\n"
    stream = b"\0".join([whole[:5], said, whole])
    deframer, got = Deframer(), []
    for at in range(0, len(stream), size):
        got += deframer.feed(stream[at : at + size])
    assert got == [Damaged(whole[:5]), Frame(Type.HELLO, 7, Hello(1))]
    assert Deframer().feed(GREETING[1:] + b"\0") == [Damaged(GREETING[1:])]


def test_unfinished_frame_is_bounded():
    deframer = Deframer(limit=100)
    for _ in range(50):
        assert deframer.feed(b"\1" * 99) == []
        assert len(deframer._held) <= 100
    whole = encode(7, Hello(1))
    assert deframer.feed(b"\0" + whole) == [Damaged(b""), Frame(Type.HELLO, 7, Hello(1))]


def test_tail_where_none_belongs_is_refused():
    with pytest.raises(ValueError, match="HELLO carries at most 0"):
        encode(1, Hello(1), b"x")


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.hex")), ids=lambda p: p.stem)
def test_golden_frames_are_read_and_written_the_same(path):
    _, wire = (bytes.fromhex(line) for line in path.read_text().splitlines())
    frame = decode(wire.removesuffix(b"\0"))
    assert frame is not None
    assert encode(frame.seq, frame.body, frame.tail) == wire


@given(
    bodies,
    st.lists(st.integers(0, 10**6), min_size=3, max_size=3, unique=True),
    st.integers(1, 255),
)
def test_copies_damaged_in_different_places_give_the_message_back(body, places, flip):
    whole = encode(9, *body)[:-1]
    copies = []
    for place in places:
        copy = bytearray(whole)
        copy[place % len(whole)] ^= flip
        copies.append(bytes(copy))
    ballot = Ballot()
    got = [ballot.add(copy) for copy in copies]
    if len({place % len(whole) for place in places}) == 3:
        assert got == [None, None, decode(whole)]
    else:
        assert all(frame in (None, decode(whole)) for frame in got)
