"""The generated headers: current, deterministic, and of the layout the compiler sees."""

import re

import pytest

from tinyrobust.core.abi import headers as wiregen
from tinyrobust.core.abi import plan as plan_layout
from tinyrobust.core.abi import wire
from tinyrobust.core.abi.layout import members, size


def test_headers_in_the_tree_are_current():
    assert wiregen.main(["--check"]) == 0


def test_check_finds_drift_and_a_missing_header(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(wiregen, "INCLUDE", tmp_path)
    assert wiregen.main([]) == 0
    assert wiregen.main(["--check"]) == 0
    header = tmp_path / "wire.gen.h"
    header.write_text(header.read_text().replace("kMaxText = 120", "kMaxText = 121"))
    (tmp_path / "plan.gen.h").unlink()
    assert wiregen.main(["--check"]) == 1
    assert capsys.readouterr().err.count("is stale") == 2


@pytest.mark.parametrize(
    ("text", "module"), [(wiregen.wire_header(), wire), (wiregen.plan_header(), plan_layout)]
)
def test_every_layout_asserts_its_size_and_offsets(text, module):
    layouts = list(wiregen.layouts(module))
    assert len(layouts) > 8
    for layout in layouts:
        assert f"static_assert(sizeof({layout.__name__}) == {size(layout)});" in text
        for m in members(layout):
            assert f"static_assert(offsetof({layout.__name__}, {m.name}) == {m.offset});" in text


def test_enumerators_are_no_macros_of_device_headers():
    names = re.findall(r"^  (\w+) = \d+,$", wiregen.wire_header() + wiregen.plan_header(), re.M)
    count = sum(len(e) for e in (wire.Type, wire.Error, wire.TickUnit, plan_layout.Kind))
    assert len(names) == count
    assert all(name.startswith("k") and not name.isupper() for name in names)


def test_body_and_tail_tables_cover_every_type():
    text = wiregen.wire_header()
    for kind, body in wire.BODIES.items():
        assert (
            f"case Type::{wiregen.camel(kind.name)}:\n      return sizeof({body.__name__});" in text
        )
    for kind, bound in wire.TAILS.items():
        assert f"case Type::{wiregen.camel(kind.name)}:\n      return {bound};" in text
