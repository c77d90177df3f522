"""Plans whose checksum is right and whose contents are not: refused by name, or run without
harm.
"""

import re
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.boards.native import make
from tests.support.networks.plans import HEADER, every_kind, poked, records, sealed
from tests.support.paths import ROOT
from tests.support.tflite.cases import OPERATORS
from tinyrobust.core.abi import layout
from tinyrobust.core.abi import plan as plan_layout
from tinyrobust.core.abi.plan import ARENA_ALIGN, S16, Kind, PlanHeader
from tinyrobust.core.abi.wire import MAX_TENSOR, Error, Type
from tinyrobust.models.plan.compiler import compile_plan
from tinyrobust.models.plan.reader import read_plan

HUGE = 2**32 - 1

HEADERS = [
    ("magic", b"TRP0", "not a plan"),
    ("layout", plan_layout.LAYOUT ^ 1, "another layout"),
    ("total_bytes", len(every_kind()) + 16, "total size"),
    ("n_ops", 0, "number of records"),
    ("n_ops", plan_layout.MAX_OPS + 1, "number of records"),
    ("n_ops", 12, "bytes after the last record"),
    ("n_ops", 14, "record"),
    ("ops_bytes", HUGE, "size of the records"),
    ("arena_bytes", HUGE, "arena size"),
    ("arena_bytes", 16, "outside the arena"),
    ("input_offset", 8, "outside the arena"),
    ("output_offset", HUGE - 15, "outside the arena"),
    ("input.dtype", 1, "neither int8 nor int16"),
    ("output.dims", bytes(16), "size"),
    ("input.dims", (2**31).to_bytes(4, "little") * 4, "size"),
    ("input.dims", (MAX_TENSOR + 1).to_bytes(4, "little") + (1).to_bytes(4, "little") * 3, "size"),
]


def both(*names: str) -> tuple[Kind, ...]:
    """The kinds of these names for int8 and for int16."""
    return tuple(Kind[f"{name}_{suffix}"] for name in names for suffix in ("S8", "S16"))


CONVOLUTIONS = (*both("CONV_2D", "DEPTHWISE_CONV_2D"), Kind.CONV_2D_S16_B32)
POOLS = both("AVERAGE_POOL_2D", "MAX_POOL_2D")
DENSE = both("FULLY_CONNECTED")
ADD = both("ADD")
SCALED = both("FULLY_CONNECTED", "MEAN", "QUANTIZE", "SOFTMAX")
CLAMPED = (*CONVOLUTIONS, *POOLS, *DENSE, *ADD)
EVERY = tuple(Kind)
NO_ADD = tuple(k for k in EVERY if k not in ADD)
END = max(len(every_kind(wide)) for wide in (False, True)) // 16 * 16

FIELDS = [
    (EVERY, "head.output", HUGE - 15, "outside the arena"),
    (EVERY, "head.output", 1, "outside the arena"),
    (EVERY, "head.output", 2, "outside the arena"),
    (tuple(k for k in EVERY if k != Kind.RESHAPE), "head.output_bytes", 1, "output size"),
    ((Kind.RESHAPE,), "head.output_bytes", HUGE, "outside the arena"),
    (EVERY, "head.bytes", 4096, ""),
    (NO_ADD, "input", HUGE - 15, "input outside the arena"),
    (NO_ADD, "input", ARENA_ALIGN // 2, "input outside the arena"),
    (ADD, "input2", HUGE - 15, "input outside the arena"),
    *(
        (CONVOLUTIONS + POOLS, name, 0, "")
        for name in ("in_h", "in_w", "k_h", "out_w", "stride_h", "stride_w")
    ),
    *(
        (CONVOLUTIONS + POOLS, name, 32_768, "geometry")
        for name in ("in_h", "k_w", "out_h", "stride_w", "pad_h", "pad_w")
    ),
    (CONVOLUTIONS, "dilation_h", 0, "geometry"),
    (CONVOLUTIONS, "dilation_w", HUGE, "geometry"),
    (CONVOLUTIONS, "in_c", 0, "channels"),
    (CONVOLUTIONS, "out_c", 65_536, "channels"),
    (both("DEPTHWISE_CONV_2D"), "ch_mult", 2, "channel multiplier"),
    (CONVOLUTIONS + DENSE, "weights", HUGE - 15, "constant outside the plan"),
    (CONVOLUTIONS + DENSE, "weights", 0, "constant outside the plan"),
    (CONVOLUTIONS + DENSE, "bias", END, "constant outside the plan"),
    (CONVOLUTIONS, "multiplier", HUGE - 15, "constant outside the plan"),
    (CONVOLUTIONS, "shift", 8, "constant outside the plan"),
    (CONVOLUTIONS + DENSE, "input_offset", 129, "zero point"),
    (CONVOLUTIONS + DENSE, "input_offset", 2**31, "zero point"),
    ((*CONVOLUTIONS, *DENSE, *ADD), "output_offset", 128, "zero point"),
    (tuple(S16 & {*CONVOLUTIONS, *DENSE}), "input_offset", 1, "zero point"),
    (tuple(S16 & {*CONVOLUTIONS, *DENSE, *ADD}), "output_offset", 1, "zero point"),
    (both("MEAN", "QUANTIZE"), "input_zero_point", -129, "zero point"),
    (CLAMPED, "act_max", 32_768, "activation"),
    (CLAMPED, "act_min", 32_768, "activation"),
    (tuple(k for k in CLAMPED if k not in S16), "act_max", 128, "activation"),
    (SCALED, "multiplier", -1, "scaling"),
    (SCALED, "shift", 31, "scaling"),
    (SCALED, "shift", -32, "scaling"),
    ((Kind.FULLY_CONNECTED_S16,), "shift", 8, "scaling"),
    ((Kind.SOFTMAX_S16,), "shift", 16, "scaling"),
    ((Kind.ADD_S8,), "left_shift", 15, "left shift"),
    ((Kind.ADD_S16,), "left_shift", 20, "left shift"),
    (ADD, "input2_multiplier", -1, "scaling"),
    (ADD, "output_shift", -32, "scaling"),
    (both("ADD", "QUANTIZE"), "count", HUGE, "output size"),
    (both("MEAN"), "in_h", 0, "input outside the arena"),
    (both("MEAN"), "in_w", HUGE, "too many elements"),
    ((Kind.MEAN_S16,), "in_w", 65_536, "too many elements"),
    (both("PAD"), "in_dims", (2).to_bytes(4, "little"), "batch"),
    (both("PAD"), "after", (0).to_bytes(4, "little") + b"\xff" * 12, "padding"),
    (both("PAD"), "value", 128, "padding value"),
    ((Kind.SOFTMAX_S8,), "row_size", 512, "row longer than 511"),
    ((Kind.SOFTMAX_S16,), "row_size", 65_537, "row size"),
    (both("SOFTMAX"), "rows", 0, "output size"),
    ((Kind.SOFTMAX_S8,), "diff_min", 1, "difference range"),
    ((Kind.SOFTMAX_S8,), "diff_min", -(2**31), "difference range"),
    ((Kind.SOFTMAX_S16,), "exponential", END, "constant outside the plan"),
    ((Kind.SOFTMAX_S16,), "reciprocal", END, "constant outside the plan"),
]


@pytest.mark.parametrize(("field", "value", "reason"), HEADERS)
def test_a_bad_header_is_refused(board, field, value, reason):
    answer = board.load(poked(every_kind(), PlanHeader, 0, field, value))
    assert (answer.type, answer.body.code, answer.body.detail) == (
        Type.ERROR,
        Error.PLAN_REJECTED,
        0,
    )
    assert answer.tail.startswith(b"header: ")
    assert reason in answer.tail.decode()


@pytest.mark.parametrize(("kinds", "field", "value", "reason"), FIELDS)
def test_a_bad_record_is_refused_with_its_index_and_operator(board, kinds, field, value, reason):
    every = [
        (plan, place) for plan in (every_kind(), every_kind(wide=True)) for place in records(plan)
    ]
    for plan, place in every:
        if place.kind not in kinds:
            continue
        answer = board.load(poked(plan, place.layout, place.at, field, value))
        assert (answer.type, answer.body.code) == (Type.ERROR, Error.PLAN_REJECTED), (place, answer)
        text = answer.tail.decode()
        assert reason in text
        if field != "head.bytes":
            assert answer.body.detail == place.index
            assert text.startswith(re.sub("_S(8|16)(_B32)?$", "", place.kind.name) + ": ")


def test_an_unknown_kind_is_refused(board):
    plan = every_kind()
    place = records(plan)[3]
    answer = board.load(sealed(plan[: place.at] + b"\xff\x7f" + plan[place.at + 2 :]))
    assert (answer.body.code, answer.body.detail) == (Error.PLAN_REJECTED, 3)
    assert answer.tail == b"unknown operator: kind"


@pytest.mark.parametrize("wide", [False, True])
def test_a_per_channel_table_is_checked_entry_by_entry(board, wide):
    plan = every_kind(wide)
    place = records(plan)[0]
    record = layout.unpack(place.layout, plan[place.at : place.at + layout.size(place.layout)])
    for table, value in ((record.multiplier, -1), (record.shift, 31), (record.shift, -32)):
        at = table + 12
        bad = sealed(plan[:at] + (value % 2**32).to_bytes(4, "little") + plan[at + 4 :])
        assert board.load(bad).tail == b"CONV_2D: scaling"


@pytest.mark.parametrize(("entry", "value"), [(0, 0), (100, -1), (512, (1 << 14) - 1)])
def test_exponentials_that_could_add_up_to_nothing_are_refused(board, entry, value):
    plan = every_kind(wide=True)
    place = next(place for place in records(plan) if place.kind == Kind.SOFTMAX_S16)
    at = (
        layout.unpack(
            place.layout, plan[place.at : place.at + layout.size(place.layout)]
        ).exponential
        + 2 * entry
    )
    bad = sealed(plan[:at] + value.to_bytes(2, "little", signed=True) + plan[at + 2 :])
    assert board.load(bad).tail == b"SOFTMAX: exponentials"


def test_a_kernel_never_reads_what_it_overwrites(board):
    plan = every_kind()
    place = records(plan)[0]
    record = layout.unpack(place.layout, plan[place.at : place.at + layout.size(place.layout)])
    answer = board.load(poked(plan, place.layout, place.at, "head.output", record.input))
    assert answer.tail == b"CONV_2D: input and output overlap"


def roomier(plan):
    """``plan`` with twice the arena, and the offset of the half in which no tensor is."""
    arena = layout.unpack(PlanHeader, plan[:HEADER]).arena_bytes
    return poked(plan, PlanHeader, 0, "arena_bytes", 2 * arena), arena


@pytest.mark.parametrize("wide", [False, True])
def test_a_tensor_is_never_read_before_it_is_written(board, wide):
    plan, free = roomier(every_kind(wide))
    assert board.load(plan).type == Type.LOADED
    for place in records(plan):
        for field in ("input1", "input2") if place.kind in ADD else ("input",):
            answer = board.load(poked(plan, place.layout, place.at, field, free))
            assert answer.body.detail == place.index
            assert answer.tail.endswith(b": input not written before, or written over")


@pytest.mark.parametrize("wide", [False, True])
def test_a_tensor_is_never_read_once_another_is_written_over_it(board, wide):
    """ADD adds the model's input, of the same size, before and after another tensor is put half on
    top of it.
    """
    plan, free = roomier(every_kind(wide))
    first, second, third, _, add = records(plan)[:5]
    assert add.kind in ADD
    plan = poked(
        poked(plan, PlanHeader, 0, "input_offset", free), first.layout, first.at, "input", free
    )
    plan = poked(plan, add.layout, add.at, "input1", free)
    assert board.load(plan).type == Type.LOADED
    over = poked(plan, second.layout, second.at, "head.output", free + 2 * ARENA_ALIGN)
    answer = board.load(poked(over, third.layout, third.at, "input", free + 2 * ARENA_ALIGN))
    assert (answer.body.detail, answer.tail) == (
        add.index,
        b"ADD: input not written before, or written over",
    )


@pytest.mark.parametrize("wide", [False, True])
def test_a_part_of_a_tensor_is_no_input(board, wide):
    plan = every_kind(wide)
    flat = next(place for place in records(plan) if place.kind == Kind.RESHAPE)
    mean = records(plan)[flat.index - 1]
    bytes_of = layout.unpack(
        mean.layout, plan[mean.at : mean.at + layout.size(mean.layout)]
    ).head.output_bytes
    answer = board.load(poked(plan, flat.layout, flat.at, "head.output_bytes", bytes_of // 2))
    assert answer.tail == b"RESHAPE: input not written before, or written over"


@pytest.mark.parametrize("wide", [False, True])
def test_an_output_that_no_operator_leaves_there_is_refused(board, wide):
    plan, free = roomier(every_kind(wide))
    one = (1).to_bytes(4, "little")
    for bad in (
        poked(plan, PlanHeader, 0, "output_offset", free),
        poked(plan, PlanHeader, 0, "output.dims", one * 3 + (3).to_bytes(4, "little")),
    ):
        answer = board.load(bad)
        assert (answer.body.code, answer.body.detail) == (Error.PLAN_REJECTED, 0)
        assert answer.tail == b"header: output not written, or written over"


@pytest.mark.parametrize("wide", [False, True])
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_host_and_board_find_the_same_faults_of_the_data_flow(board, wide, data):
    """Tensors moved at random, to where others are or elsewhere."""
    plan, free = roomier(every_kind(wide))
    fields = [(PlanHeader, 0, "input_offset"), (PlanHeader, 0, "output_offset")]
    for place in records(plan):
        inputs = ("input1", "input2") if place.kind in ADD else ("input",)
        fields += [(place.layout, place.at, name) for name in ("head.output", *inputs)]
    places = st.integers(0, 2 * free // ARENA_ALIGN - 1) | st.sampled_from(
        [0, 4, 8, free // ARENA_ALIGN]
    )
    for _ in range(data.draw(st.integers(1, 3))):
        plan = poked(plan, *data.draw(st.sampled_from(fields)), ARENA_ALIGN * data.draw(places))
    answer, fault = board.load(plan), ""
    try:
        read_plan(plan)
    except ValueError as err:
        fault = str(err)
    if answer.type == Type.LOADED:
        assert not fault
    elif answer.tail.endswith(b"written over"):
        assert "which no tensor fills" in fault
    else:
        assert answer.tail.endswith((b"input and output overlap", b"outside the arena"))


def test_a_plan_cut_anywhere_is_refused(board):
    plan = every_kind()
    for n in [*range(1, HEADER + 40), *range(HEADER + 40, len(plan), 97)]:
        assert board.load(plan[:n]).body.code == Error.PLAN_REJECTED
    assert board.load(plan + bytes(16)).body.code == Error.PLAN_REJECTED


def test_an_arena_beyond_the_pool_says_how_much_it_takes(board):
    plan = poked(every_kind(), PlanHeader, 0, "arena_bytes", 9 << 20)
    answer = board.load(plan)
    assert answer.body.code == Error.PLAN_TOO_LARGE
    assert (9 << 20) + len(plan) < answer.body.detail < (9 << 20) + len(plan) + 20_000


@pytest.fixture(scope="session")
def fuzz_plan():
    make("fuzz")
    return ROOT / "build/asan/fuzz_plan"


def changed_everywhere(fuzz_plan, plan, folder, values, rewired):
    """Accepted and refused among hostile plans made of ``plan``: none of them answers one input in
    two ways.
    """
    path = folder / "plan.bin"
    path.write_bytes(plan)
    done = subprocess.run(
        [fuzz_plan, path, str(values), str(rewired)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[:3000]
    accepted, refused, differing = (int(n) for n in re.findall(r"\d+", done.stdout))
    assert differing == 0, done.stdout
    return accepted, refused


@pytest.mark.parametrize("wide", [False, True])
def test_every_byte_of_every_kind_of_record_changed_does_no_harm(fuzz_plan, tmp_path, wide):
    """Arena and input are heap blocks of exactly the size asked for: kernels may touch nothing
    beyond.
    """
    accepted, refused = changed_everywhere(fuzz_plan, every_kind(wide), tmp_path, 10, 10_000)
    assert accepted > 1000
    assert refused > 1000


@pytest.mark.parametrize("operator", OPERATORS)
@settings(max_examples=2, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_byte_of_a_random_operator_changed_does_no_harm(fuzz_plan, tmp_path, operator, data):
    changed_operator(fuzz_plan, tmp_path, data.draw(OPERATORS[operator]))


@pytest.mark.deep
@pytest.mark.parametrize("operator", OPERATORS)
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_byte_of_many_operators_changed_does_no_harm(fuzz_plan, tmp_path, operator, data):
    changed_operator(fuzz_plan, tmp_path, data.draw(OPERATORS[operator]))


def changed_operator(fuzz_plan, tmp_path, case):
    accepted, refused = changed_everywhere(
        fuzz_plan, compile_plan(case.tflite).data, tmp_path, 6, 200
    )
    assert accepted > 0
    assert refused > 0
