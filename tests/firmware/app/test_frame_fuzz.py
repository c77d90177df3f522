"""Broken frames by the hundred thousand against the sanitized firmware: no crash, no hang, no
mislabelled sample.
"""

import random
import threading
import zlib

import pytest
from cobs import cobs
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.boards.firmware import Board
from tests.support.networks.plans import HEADER, every_kind
from tinyrobust.core.abi import layout, wire
from tinyrobust.core.abi.plan import PlanHeader
from tinyrobust.core.abi.wire import BODIES, Hello, Infer, Type
from tinyrobust.host.link.frame import encode

FRAMES = 100_000
SAMPLES = 50


def mutated(good: bytes, draw: random.Random) -> bytes:
    """A frame with one kind of damage, ended by a delimiter; never the good frame itself."""
    body = bytearray(good[:-1])
    match draw.randrange(6):
        case 0:
            del body[draw.randrange(len(body)) :]
        case 1:
            for _ in range(draw.choice((1, 1, 2, 8))):
                body[draw.randrange(len(body))] ^= 1 << draw.randrange(8)
        case 2:
            body[:] = draw.randbytes(draw.choice((1, 7, 80, 300)))
        case 3:
            del body[: draw.randrange(1, len(body))]
        case 4:
            body.insert(draw.randrange(len(body) + 1), draw.randrange(256))
        case _:
            body[:] = draw.choice((b"\xff", b"\x01")) * draw.choice((1, 255, 9000))
    return bytes(body + b"\0")


@pytest.mark.slow
def test_a_hundred_thousand_broken_frames(board):
    plan = every_kind()
    board.load(plan)
    ask = Infer(layout.unpack(PlanHeader, plan[:HEADER]).crc)
    draw = random.Random(2026)
    samples = [draw.randbytes(64) for _ in range(SAMPLES)]
    expected = {(100 + i, zlib.crc32(s)): board.ask(ask, s).tail for i, s in enumerate(samples)}
    assert len(set(expected.values())) > SAMPLES // 4
    good = [encode(100 + i, ask, s) for i, s in enumerate(samples)]
    stream, intact = [], 0
    for _ in range(FRAMES):
        frame = draw.choice(good)
        broken = mutated(frame, draw)
        stream.append(broken)
        if draw.random() < 0.05:
            stream.append(frame)
            intact += 1
        intact += broken == frame
    stream.append(encode(7, Hello(wire.PROTOCOL)))
    sender = threading.Thread(target=board.send, args=(b"".join(stream),), daemon=True)
    sender.start()
    results = refused = 0
    while (answer := board.receive()).type != Type.INFO:
        if answer.type == Type.RESULT:
            assert expected[answer.seq, answer.body.input_crc] == answer.tail
            results += 1
        else:
            assert answer.type == Type.ERROR
            refused += 1
    sender.join()
    assert answer.seq == 7
    assert results >= intact
    assert refused > FRAMES // 2


requests = st.one_of(
    st.builds(
        lambda kind, payload: (kind, payload),
        st.one_of(st.sampled_from(list(Type)), st.integers(0, 255)),
        st.binary(max_size=200),
    ),
    st.sampled_from(
        [Type.HELLO, Type.LOAD, Type.INFER, Type.LAYER, Type.PROFILE, Type.RESET]
    ).flatmap(
        lambda kind: st.tuples(
            st.just(kind), st.binary(min_size=(n := layout.size(BODIES[kind])), max_size=n + 100)
        )
    ),
    st.tuples(st.integers(0, 4), st.integers(0, 4096)).map(
        lambda t: (
            Type.LOAD,
            layout.pack(wire.Load(len(every_kind()), t[0] * 512))
            + every_kind()[t[0] * 512 :][: t[1]],
        )
    ),
)


@settings(max_examples=300)
@given(st.lists(st.tuples(requests, st.integers(0, 65_535)), min_size=1, max_size=12))
def test_every_intact_frame_gets_one_answer_with_its_number(running, messages):
    for (kind, payload), seq in messages:
        data = layout.pack(wire.FrameHeader(int(kind), 0, seq)) + payload
        running.send(cobs.encode(data + zlib.crc32(data).to_bytes(4, "little")) + b"\0")
    for _, seq in messages:
        assert running.receive().seq == seq


@pytest.fixture(scope="module")
def running(asan):
    with Board(asan) as board:
        yield board
