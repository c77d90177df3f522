"""Frames at the bounds of the protocol: lengths counted, the longest taken, anything longer or
shorter refused.
"""

import dataclasses
import random
import zlib

import pytest
from cobs import cobs

from tinyrobust.core.abi import layout, wire
from tinyrobust.core.abi.layout import pack
from tinyrobust.core.abi.wire import (
    BODIES,
    MAX_TENSOR,
    TAILS,
    FrameHeader,
    Hello,
    Infer,
    Load,
    OperatorTicks,
    Result,
    Type,
    messages,
)
from tinyrobust.host.link.frame import (
    MAX_DECODED,
    Damaged,
    Deframer,
    Frame,
    decode,
    decoded_size,
    encode,
    encoded_bound,
)

LAYOUTS = [
    *BODIES.values(),
    FrameHeader,
    OperatorTicks,
    wire.Tensor,
    layout.Scalar,
    layout.Raw,
    layout.Member,
]


def framed(plain: bytes) -> bytes:
    """The encoding of header and body with a checksum that holds, without the delimiter."""
    return bytes(cobs.encode(plain + zlib.crc32(plain).to_bytes(4, "little")))


def test_sizes_of_frames_are_those_of_the_protocol():
    assert decoded_size(Hello(1)) == 4 + 8 + 4
    assert decoded_size(Infer(1), bytes(10)) == 4 + 4 + 10 + 4
    assert decoded_size(Result(1, 2, 3), bytes(MAX_TENSOR)) == MAX_DECODED


@pytest.mark.parametrize("n", [0, 1, 253, 254, 255, 507, 508, 509, 5000])
def test_no_encoding_is_longer_than_its_bound(n):
    lengths = [
        len(cobs.encode(data)) for data in (b"\1" * n, bytes(n), random.Random(n).randbytes(n))
    ]
    assert max(lengths) <= encoded_bound(n)
    assert encoded_bound(n) - max(lengths) <= (n > 0 and n % 254 == 0)


@pytest.mark.parametrize("kind", TAILS)
def test_the_longest_tail_goes_through_and_a_longer_one_does_not(kind):
    body = layout.unpack(BODIES[kind], bytes(layout.size(BODIES[kind])))
    tail = bytes(range(1, 256)) * (TAILS[kind] // 255 + 1)
    wire_bytes = encode(7, body, tail[: TAILS[kind]])
    assert Deframer().feed(wire_bytes) == [Frame(kind, 7, body, tail[: TAILS[kind]])]
    with pytest.raises(ValueError, match=f"{kind.name} carries at most {TAILS[kind]} bytes"):
        encode(7, body, tail[: TAILS[kind] + 1])
    plain = pack(FrameHeader(kind, 0, 7)) + pack(body)
    assert decode(framed(plain + tail[: TAILS[kind]])) is not None
    assert decode(framed(plain + tail[: TAILS[kind] + 1])) is None
    assert decode(framed(plain[:-1])) is None


def test_what_is_intact_but_of_another_protocol_is_no_message():
    assert decode(framed(pack(FrameHeader(Type.HELLO, 0, 3)) + pack(Hello(5)))) == Frame(
        Type.HELLO, 3, Hello(5)
    )
    assert decode(framed(pack(FrameHeader(0x77, 0, 3)) + pack(Hello(5)))) is None
    assert decode(framed(pack(FrameHeader(Type.HELLO, 0, 3)) + pack(Hello(5)) + b"x")) is None
    for n in range(12):
        assert decode(framed(bytes([Type.HELLO] * n))) is None
        assert decode(bytes(cobs.encode(bytes([1] * n)))) is None
    assert decode(b"\5\1\1") is None


def test_a_frame_may_be_as_long_as_the_bound_and_no_longer():
    deframer = Deframer(limit=20)
    assert deframer.feed(b"\1" * 20 + b"\0") == [Damaged(b"\1" * 20)]
    assert deframer.feed(b"\1" * 21 + b"\0") == [Damaged(b"")]
    assert deframer.feed(b"\1" * 15) + deframer.feed(b"\1" * 5) + deframer.feed(b"\0") == [
        Damaged(b"\1" * 20)
    ]
    assert deframer.feed(b"\1" * 15) + deframer.feed(b"\1" * 6) + deframer.feed(b"\0") == [
        Damaged(b"")
    ]
    assert deframer.feed(b"\0\0\0") == []


def test_what_is_unfinished_is_known_and_can_be_dropped():
    deframer = Deframer(limit=20)
    assert not deframer.unfinished
    for begun in (b"\1", b"\1" * 30):
        deframer.feed(begun)
        assert deframer.unfinished
        deframer.drop()
        assert not deframer.unfinished
    assert deframer.feed(encode(7, Load(1, 2))) == [Frame(Type.LOAD, 7, Load(1, 2))]


def test_by_default_a_deframer_holds_the_longest_frame_and_no_more():
    assert Deframer().limit == encoded_bound(MAX_DECODED)


def test_the_sequence_number_and_flags_lie_where_the_firmware_looks():
    data = cobs.decode(encode(0x1234, Hello(0x01020304))[:-1])
    assert data[:8] == bytes([Type.HELLO, 0, 0x34, 0x12, 4, 3, 2, 1])
    assert int.from_bytes(data[-4:], "little") == zlib.crc32(data[:-4])


@pytest.mark.parametrize("of", LAYOUTS, ids=lambda of: of.__name__)
def test_messages_and_layouts_do_not_change(of):
    assert of.__dataclass_params__.frozen
    assert dataclasses.is_dataclass(of)


def test_frames_do_not_change():
    for frame in (Frame(Type.HELLO, 1, Hello(1)), Damaged(b"")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            frame.seq = 2


@pytest.mark.parametrize(
    ("text", "padded"), [("", bytes(24)), ("x" * 24, b"x" * 24), ("äö", "äö".encode() + bytes(20))]
)
def test_text_fills_its_field_with_zeros(text, padded):
    @dataclasses.dataclass(frozen=True)
    class One:
        text: messages.Text24

    assert pack(One(text)) == padded
    assert layout.unpack(One, padded) == One(text)


@pytest.mark.parametrize("data", [b"", b"x" * 11, b"x" * 13])
def test_bytes_fill_their_field_exactly(data):
    @dataclasses.dataclass(frozen=True)
    class One:
        uid: messages.Bytes12

    with pytest.raises(ValueError, match=r"One\.uid = .* into 12"):
        pack(One(data))
    assert pack(One(b"x" * 12)) == b"x" * 12


def test_a_layout_without_fields_takes_no_bytes():
    @dataclasses.dataclass(frozen=True)
    class Empty:
        pass

    assert (layout.size(Empty), layout.alignment(Empty), pack(Empty())) == (0, 1, b"")
