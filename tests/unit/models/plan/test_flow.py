"""Plans whose operators read what was not written: refused by the reader and by the compiler, in
one line.
"""

import dataclasses

import pytest

from tests.support.tflite.factory import Affine, Factory, Window
from tinyrobust.core.abi import layout
from tinyrobust.core.abi.plan import MAX_OPS, PlanHeader
from tinyrobust.core.errors import UsageError
from tinyrobust.models.plan import arena
from tinyrobust.models.plan.compiler import compile_plan
from tinyrobust.models.plan.reader import read_plan

Q = Affine(0.05, 3)


def net():
    """QUANTIZE, ADD of its input and output, AVERAGE_POOL_2D: three tensors are alive at once."""
    f = Factory()
    source = f.input((1, 4, 4, 4), Q)
    x = f.add(source, f.quantize(source, Affine(0.04, -2)), Q)
    return f.build(source, f.average_pool_2d(x, Window((2, 2), (2, 2))))


PLAN = compile_plan(net()).data


def rebuilt(plan, header=None, **records):
    """``plan`` with fields of its header, and of its records by index (``r1={"input2": 64}``),
    replaced.
    """
    program = read_plan(plan)
    parts = [dataclasses.replace(program.header, **(header or {}))]
    for index, record in enumerate(program.records):
        change = dict(records.get(f"r{index}", {}))
        head = dataclasses.replace(record.head, output=change.pop("output", record.head.output))
        parts.append(dataclasses.replace(record, head=head, **change))
    head = b"".join(layout.pack(part) for part in parts)
    return head + plan[len(head) :]


def test_a_plan_is_read_back_as_it_was_written():
    assert rebuilt(PLAN) == PLAN
    assert [record.head.op for record in read_plan(PLAN).records] == [0, 1, 2]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"r0": {"input": 4096}},
            r"^QUANTIZE_S8 \(operator 0\) reads arena bytes 4096 to 4159, which no tensor fills",
        ),
        ({"r1": {"input1": 4096}}, r"^ADD_S8 \(operator 1\) reads arena bytes 4096 to 4159"),
        ({"r1": {"input2": 4096}}, r"^ADD_S8 \(operator 1\) reads arena bytes 4096 to 4159"),
        (
            {"r0": {"output": 16}},
            r"^ADD_S8 \(operator 1\) reads .* not written before, or written over$",
        ),
        ({"r1": {"count": 32}}, r"^ADD_S8 \(operator 1\) reads arena bytes \d+ to \d+"),
        (
            {"r2": {"output": 4096}},
            r"^its output is arena bytes \d+ to \d+, which no tensor fills at the end",
        ),
        ({"header": {"input_offset": 4096}}, r"^QUANTIZE_S8 \(operator 0\)"),
        ({"header": {"output_offset": 4096}}, r"^its output is arena bytes 4096 to 4111"),
        ({"header": {"n_ops": MAX_OPS + 1}}, r"^it has 513 operators, 1 to 512 are supported$"),
        ({"header": {"n_ops": 0}}, r"^it has 0 operators"),
    ],
)
def test_the_reader_refuses_what_reads_other_bytes_than_were_written(change, line):
    with pytest.raises(ValueError, match=line):
        read_plan(rebuilt(PLAN, **change))


def test_the_reader_refuses_an_edge_tensor_of_another_type():
    header = layout.unpack(PlanHeader, PLAN[: layout.size(PlanHeader)])
    with pytest.raises(ValueError, match="TFLite type 1, neither int8 nor int16"):
        read_plan(rebuilt(PLAN, header={"input": dataclasses.replace(header.input, dtype=1)}))


def test_a_tensor_moved_with_its_readers_is_no_fault():
    moved = rebuilt(PLAN, r0={"output": 4096}, r1={"input2": 4096})
    assert read_plan(moved).records[1].input2 == 4096


def test_tensors_that_share_bytes_while_both_are_needed_never_leave_the_compiler(monkeypatch):
    def everything_at_0(buffers, align):
        return arena.Placement((0,) * len(buffers), max(b.size for b in buffers))

    monkeypatch.setattr(arena, "place", everything_at_0)
    f = Factory()
    source = f.input((1, 4, 4, 4), Q)
    smaller = f.average_pool_2d(source, Window((2, 2), (1, 1)))
    tflite = f.build(source, f.add(smaller, f.max_pool_2d(source, Window((2, 2))), Q))
    with pytest.raises(
        UsageError, match=r"^model: MAX_POOL_2D_S8 \(operator 1\) reads arena bytes 0 to 63"
    ) as err:
        compile_plan(tflite)
    assert "\n" not in str(err.value)
