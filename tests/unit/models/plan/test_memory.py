"""The plan's header, and where its tensors live: nothing is overwritten that somebody still
reads.
"""

import hashlib

import numpy as np
import pytest

from tests.support.tflite.factory import Affine, Factory, Window
from tinyrobust.core.abi import layout
from tinyrobust.core.abi.plan import ARENA_ALIGN, CONSTANT_ALIGN, LAYOUT, MAGIC, Add, PlanHeader
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.plan.compiler import compile_plan
from tinyrobust.models.plan.reader import read_plan

IN = Affine(0.05, -3)


def test_the_header_states_edges_and_sizes():
    f = Factory()
    x = f.input((1, 6, 5, 2), IN)
    y = f.conv_2d(x, np.ones((3, 2, 2, 2), np.int8), [0.1], None, Window((2, 2)), Affine(0.5, 7))
    tflite = f.build(x, f.softmax(f.reshape(y, (1, 60))))
    plan = compile_plan(tflite)
    header, records = read_plan(plan.data).header, read_plan(plan.data).records
    assert (header.magic, header.layout, header.n_ops) == (MAGIC, LAYOUT, 3)
    assert header.ops_bytes == sum(layout.size(type(r)) for r in records)
    assert (header.input.dims, header.input.dtype, header.input.zero_point) == ((1, 6, 5, 2), 9, -3)
    assert (header.output.dims, header.output.dtype, header.output.zero_point) == (
        (1, 1, 1, 60),
        9,
        -128,
    )
    assert (header.input.scale, header.output.scale) == (np.float32(0.05), np.float32(1 / 256))
    assert (plan.input, plan.output) == (
        TensorSpec((6, 5, 2), float(np.float32(0.05)), -3),
        TensorSpec((60,), 1 / 256, -128),
    )
    assert header.model_sha256 == hashlib.sha256(tflite).digest()
    assert header.arena_bytes == plan.arena_bytes
    # Weights 24 bytes, then bias, multipliers and shifts of 12, each on a boundary of its own.
    assert plan.constant_bytes == 2 * CONSTANT_ALIGN + 2 * CONSTANT_ALIGN + 12
    start = layout.size(PlanHeader) + header.ops_bytes
    first = start + -start % CONSTANT_ALIGN
    assert records[0].weights == first
    assert not any(plan.data[start:first])
    assert header.total_bytes == len(plan.data) == first + plan.constant_bytes


def test_int16_takes_two_bytes_an_element():
    f = Factory(wide=True)
    x = f.input((1, 3, 5, 2), Affine(0.05))
    plan = compile_plan(f.build(x, f.max_pool_2d(x, Window((3, 5)))))
    assert plan.arena_bytes == 64 + ARENA_ALIGN
    assert (plan.input.dtype, plan.output.dtype) == ("int16", "int16")


def test_the_input_may_be_overwritten_once_it_has_been_read_and_not_before():
    f = Factory()
    x = f.input((1, 4, 4, 2), IN)
    y = f.max_pool_2d(x, Window())
    for _ in range(4):
        y = f.max_pool_2d(y, Window())
    chain = compile_plan(f.build(x, y))
    assert chain.arena_bytes == 2 * 32
    f = Factory()
    x = f.input((1, 4, 4, 2), IN)
    y = f.max_pool_2d(f.max_pool_2d(x, Window()), Window())
    assert compile_plan(f.build(x, f.add(x, y, IN))).arena_bytes == 3 * 32


def reads(record):
    return [record.input1, record.input2] if isinstance(record, Add) else [record.input]


@pytest.mark.parametrize("seed", range(12))
def test_what_is_read_later_is_not_written_over(seed):
    """Random graphs of pools, reshapes and sums: a simulation of the arena that knows each byte's
    owner.
    """
    rng = np.random.default_rng(seed)
    f = Factory()
    x = f.input((1, 2, 3, 4), IN)
    made, sources = [x], []
    for _ in range(12):
        a, b = (int(i) for i in rng.integers(len(made), size=2))
        kind = rng.integers(3)
        same = [i for i, other in enumerate(made) if other.shape == made[a].shape]
        if kind == 0:
            b = same[b % len(same)]
            made.append(f.add(made[a], made[b], IN))
            sources.append([a, b])
        elif kind == 1 or len(made[a].shape) != 4:
            made.append(f.reshape(made[a], (1, 24) if len(made[a].shape) == 4 else (1, 2, 3, 4)))
            sources.append([a])
        else:
            made.append(f.max_pool_2d(made[a], Window((1, 1))))
            sources.append([a])
    plan = read_plan(compile_plan(f.build(x, made[-1])).data)
    at = [plan.header.input_offset, *(r.head.output for r in plan.records)]
    holds = np.full(plan.header.arena_bytes, -1)
    holds[at[0] : at[0] + 24] = 0
    value_of = [0]
    for value, (record, needed) in enumerate(zip(plan.records, sources, strict=True), start=1):
        for place, i in zip(reads(record), needed, strict=True):
            assert place == at[i]
            assert (holds[place : place + 24] == value_of[i]).all()
        alias = type(record).__name__ == "Reshape" and record.head.output == record.input
        value_of.append(value_of[needed[0]] if alias else value)
        holds[record.head.output : record.head.output + 24] = value_of[-1]
    assert plan.header.output_offset == at[-1]
    assert (holds[at[-1] : at[-1] + 24] == value_of[-1]).all()
