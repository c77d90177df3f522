"""Layouts: round trips, refusals with a name, and the golden frames on the Python side."""

from dataclasses import dataclass, fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.golden import write
from tests.support.paths import GOLDEN
from tinyrobust.core.abi import layout, wire
from tinyrobust.core.abi import plan as plan_layout
from tinyrobust.core.abi.layout import U8, U32, Raw, Scalar
from tinyrobust.host.link.frame import Frame, decode, encode

LAYOUTS = [
    *wire.BODIES.values(),
    plan_layout.PlanHeader,
    *dict.fromkeys(plan_layout.RECORDS.values()),
]
EXPECTED = {message.name: message for message in write.messages()}


def values(kind):
    if isinstance(kind, Raw):
        text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=kind.count)
        return text if kind.text else st.binary(min_size=kind.count, max_size=kind.count)
    if isinstance(kind, Scalar):
        bits = 8 * layout.struct.calcsize("<" + kind.code)
        integers = (
            st.integers(-(1 << bits - 1), (1 << bits - 1) - 1)
            if kind.code == "i"
            else st.integers(0, (1 << bits) - 1)
        )
        one = st.floats(width=32, allow_nan=False) if kind.code == "f" else integers
        return st.tuples(*[one] * kind.count) if kind.count > 1 else one
    return instances(kind)


def instances(of):
    return st.builds(of, **{m.name: values(m.kind) for m in layout.members(of)})


@pytest.mark.parametrize("of", LAYOUTS, ids=lambda of: of.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_pack_and_unpack_are_inverse(of, data):
    value = data.draw(instances(of))
    packed = layout.pack(value)
    assert len(packed) == layout.size(of)
    assert layout.unpack(of, packed) == value


@given(data=st.data(), cut=st.integers(0, 400))
def test_unpack_takes_the_exact_size_only(data, cut):
    of = data.draw(st.sampled_from(LAYOUTS))
    if cut != layout.size(of):
        with pytest.raises(ValueError, match=f"{of.__name__} takes"):
            layout.unpack(of, bytes(cut))


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (wire.Hello(-1), "protocol"),
        (wire.Hello(1 << 32), "protocol"),
        (wire.Tensor((1, 2, 3), 9, 1.0, 0), "dims"),
        (wire.Tensor((1, 2, 3, 4), 9, 1.0, 1 << 31), "zero_point"),
    ],
)
def test_pack_names_the_field_that_does_not_fit(value, field):
    with pytest.raises(ValueError, match=field):
        layout.pack(value)


def test_text_longer_than_its_field_is_refused_and_bytes_are_exact():
    info = EXPECTED["info"].body
    values_of = {f.name: getattr(info, f.name) for f in fields(info)}
    for change in ({"board": "x" * 25}, {"uid": b"short"}):
        with pytest.raises(ValueError, match=next(iter(change))):
            layout.pack(wire.Info(**{**values_of, **change}))


def test_layouts_that_c_would_pad_are_refused():
    @dataclass(frozen=True)
    class Hole:
        a: U8
        b: U32

    @dataclass(frozen=True)
    class Tail:
        a: U32
        b: U8

    with pytest.raises(TypeError, match=r"Hole\.b"):
        layout.members(Hole)
    with pytest.raises(TypeError, match="Tail is 5 bytes"):
        layout.size(Tail)


def test_alignment_of_nested_layouts():
    assert layout.alignment(wire.Result) == 8
    assert layout.alignment(wire.Tensor) == 4


@pytest.mark.parametrize("name", EXPECTED)
def test_golden_file_is_what_its_writer_writes(name):
    assert (GOLDEN / f"{name}.hex").read_text() == EXPECTED[name].text


@pytest.mark.parametrize("name", EXPECTED)
def test_host_reads_and_writes_golden_frames(name):
    golden = EXPECTED[name]
    wire_bytes = bytes.fromhex((GOLDEN / f"{name}.hex").read_text().split()[1])
    assert decode(wire_bytes[:-1]) == Frame(golden.type, golden.seq, golden.body, golden.tail)
    assert encode(golden.seq, golden.body, golden.tail) == wire_bytes


def test_a_text_comes_printable():
    info = EXPECTED["info"].body
    sent = layout.pack(
        wire.Info(**{**vars(info), "board": "\x1b[2J\x07\r\n", "engine": "a\0b\u202e"})
    )
    told = layout.unpack(wire.Info, sent)
    assert (told.board, told.engine) == ("?[2J?  ", "a?b?")
