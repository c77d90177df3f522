"""JSON to dataclasses: what was written is read back, anything else is a ValueError that names the
field.
"""

import dataclasses
import json
import re
from dataclasses import dataclass
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.runs import synthetic
from tinyrobust.core.cells import Cell, Flag, FlagKind
from tinyrobust.core.errors import UsageError
from tinyrobust.host.records.schema import Manifest
from tinyrobust.host.records.typed_json import parse_json, read


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    a: int


@dataclass(frozen=True)
class Outer:
    text: str
    number: float
    flag: bool
    inner: Inner
    many: tuple[Inner, ...]
    pair: tuple[str, int]
    colour: Colour
    maybe: int | None = None


GOOD = {
    "text": "t",
    "number": 1,
    "flag": True,
    "inner": {"a": 1},
    "many": [{"a": 2}],
    "pair": ["x", 3],
    "colour": "red",
}


def test_every_kind_of_field_is_read():
    made = read(Outer, GOOD)
    assert made == Outer("t", 1.0, True, Inner(1), (Inner(2),), ("x", 3), Colour.RED)
    assert type(made.number) is float
    assert read(Outer, GOOD | {"maybe": 4}).maybe == 4
    assert read(Outer, GOOD | {"text": "\x1b[2J"}).text == "?[2J"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"text": None}, "text must be a text, not null"),
        ({"text": 1}, "text must be a text, not 1"),
        ({"number": True}, "number must be a number, not true"),
        ({"number": "1"}, 'number must be a number, not "1"'),
        ({"number": 1e400}, "number must be a number, not Infinity"),
        ({"flag": 1}, "flag must be true or false, not 1"),
        ({"inner": {"a": 1.5}}, "inner.a must be a whole number, not 1.5"),
        ({"inner": {"a": 2**64}}, "inner.a must be a whole number"),
        ({"inner": {}}, "inner.a is missing"),
        ({"inner": []}, "inner must be an object, not a list"),
        ({"inner": {"a": 1, "\x1b": 2}}, "inner.? is no field of it"),
        ({"many": {"a": 1}}, "many must be a list, not an object"),
        ({"many": [{"a": 1}, {"a": "1"}]}, 'many[1].a must be a whole number, not "1"'),
        ({"pair": ["x"]}, "pair must have 2 elements, not 1"),
        ({"pair": [1, 1]}, "pair[0] must be a text, not 1"),
        ({"colour": "blue"}, "colour must be one of 'red', not \"blue\""),
        ({"colour": ["red"]}, "colour must be one of 'red', not a list"),
        ({"maybe": "x"}, 'maybe must be a whole number, not "x"'),
    ],
)
def test_any_other_type_is_named(change, says):
    with pytest.raises(ValueError, match="^" + re.escape(says)):
        read(Outer, GOOD | change)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "NaN", "-Infinity", "{", "9" * 5000, "\ud800"]
)
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(name=st.sampled_from(sorted(GOOD)), value=JSON)
def test_any_json_is_read_or_a_value_error(name, value):
    try:
        read(Outer, GOOD | {name: value})
    except ValueError as err:
        assert name in str(err)  # noqa: PT017


FLAGS = (Flag(FlagKind.FAILED, Cell("pgd", "qat", 0.5, 3), "half"),)


def test_a_manifest_is_read_as_it_was_written():
    made = synthetic.manifest(flags=FLAGS, tflm_arena_bytes=None, queries=7)
    assert Manifest.from_json(made.to_json()) == made


@given(name=st.sampled_from([field.name for field in dataclasses.fields(Manifest)]), value=JSON)
def test_a_manifest_with_any_field_is_read_or_refused(name, value):
    raw = json.loads(synthetic.manifest(flags=FLAGS).to_json()) | {name: value}
    try:
        made = Manifest.from_json(json.dumps(raw))
    except ValueError as err:
        assert str(err).startswith("not a run manifest: ")  # noqa: PT017
    else:
        made.to_json().encode()


@pytest.mark.parametrize("name", ["kinds", "flags", "notes", "link", "model", "rungs"])
def test_a_manifest_with_a_field_less_is_refused(name):
    raw = json.loads(synthetic.manifest().to_json())
    del raw[name]
    with pytest.raises(ValueError, match=f"not a run manifest: {name} is missing"):
        Manifest.from_json(json.dumps(raw))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"state": "done"}, "state 'done'"),
        ({"samples": -1}, "samples -1"),
        ({"samples": 10**15}, "samples 1000"),
        ({"input_shape": [8, 0]}, "input_shape"),
    ],
)
def test_a_manifest_that_no_run_has_is_refused(change, says):
    raw = json.loads(synthetic.manifest().to_json()) | change
    with pytest.raises(ValueError, match=f"not a run manifest: {says}"):
        Manifest.from_json(json.dumps(raw))


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "9" * 30, "\u0661"])
def test_a_number_of_the_board_that_is_none_is_one_line(text):
    made = synthetic.manifest(board_info=(("clock_hz", text),))
    with pytest.raises(UsageError, match="board_info has clock_hz"):
        made.stated("clock_hz")
    assert made.stated("else") is None
