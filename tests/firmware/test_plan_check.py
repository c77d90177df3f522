"""Plans whose checksum is right and whose contents are not: refused by name, or run without harm."""

import re
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host import layout
from host.wire import MAX_TENSOR, Error, Type
from models import plan_layout
from models.plan import compile_plan
from models.plan_layout import ARENA_ALIGN, Kind, PlanHeader
from tests.firmware.conftest import ROOT, make
from tests.firmware.plans import HEADER, every_kind, poked, records, sealed
from tests.tflite_cases import OPERATORS

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
    ("input.dtype", 1, "not int8"),
    ("output.dims", bytes(16), "size"),
    ("input.dims", (2**31).to_bytes(4, "little") * 4, "size"),
    ("input.dims", (MAX_TENSOR + 1).to_bytes(4, "little") + (1).to_bytes(4, "little") * 3, "size"),
]

CONVOLUTIONS = (Kind.CONV_2D_S8, Kind.DEPTHWISE_CONV_2D_S8)
POOLS = (Kind.AVERAGE_POOL_2D_S8, Kind.MAX_POOL_2D_S8)
SCALED = (Kind.FULLY_CONNECTED_S8, Kind.MEAN_S8, Kind.QUANTIZE_S8, Kind.SOFTMAX_S8)
EVERY = tuple(Kind)
NO_ADD = tuple(k for k in EVERY if k != Kind.ADD_S8)

FIELDS = [
    (EVERY, "head.output", HUGE - 15, "outside the arena"),
    (EVERY, "head.output", 1, "outside the arena"),
    (tuple(k for k in EVERY if k != Kind.RESHAPE), "head.output_bytes", 1, "output size"),
    ((Kind.RESHAPE,), "head.output_bytes", HUGE, "outside the arena"),
    (EVERY, "head.bytes", 4096, ""),
    (NO_ADD, "input", HUGE - 15, "input outside the arena"),
    (NO_ADD, "input", ARENA_ALIGN // 2, "input outside the arena"),
    ((Kind.ADD_S8,), "input2", HUGE - 15, "input outside the arena"),
    *((CONVOLUTIONS + POOLS, name, 0, "") for name in ("in_h", "in_w", "k_h", "out_w", "stride_h", "stride_w")),
    *(
        (CONVOLUTIONS + POOLS, name, 32_768, "geometry")
        for name in ("in_h", "k_w", "out_h", "stride_w", "pad_h", "pad_w")
    ),
    (CONVOLUTIONS, "dilation_h", 0, "geometry"),
    (CONVOLUTIONS, "dilation_w", HUGE, "geometry"),
    (CONVOLUTIONS, "in_c", 0, "channels"),
    (CONVOLUTIONS, "out_c", 65_536, "channels"),
    ((Kind.DEPTHWISE_CONV_2D_S8,), "ch_mult", 2, "channel multiplier"),
    ((*CONVOLUTIONS, Kind.FULLY_CONNECTED_S8), "weights", HUGE - 15, "constant outside the plan"),
    ((*CONVOLUTIONS, Kind.FULLY_CONNECTED_S8), "weights", 0, "constant outside the plan"),
    ((*CONVOLUTIONS, Kind.FULLY_CONNECTED_S8), "bias", len(every_kind()) // 16 * 16, "constant outside the plan"),
    (CONVOLUTIONS, "multiplier", HUGE - 15, "constant outside the plan"),
    (CONVOLUTIONS, "shift", 8, "constant outside the plan"),
    ((*CONVOLUTIONS, Kind.FULLY_CONNECTED_S8), "input_offset", 129, "zero point"),
    ((*CONVOLUTIONS, Kind.FULLY_CONNECTED_S8), "input_offset", 2**31, "zero point"),
    ((*CONVOLUTIONS, Kind.FULLY_CONNECTED_S8, Kind.ADD_S8), "output_offset", 128, "zero point"),
    ((Kind.MEAN_S8, Kind.QUANTIZE_S8), "input_zero_point", -129, "zero point"),
    (CONVOLUTIONS + POOLS + (Kind.FULLY_CONNECTED_S8, Kind.ADD_S8), "act_max", 128, "activation"),
    (CONVOLUTIONS + POOLS + (Kind.FULLY_CONNECTED_S8, Kind.ADD_S8), "act_min", 128, "activation"),
    (SCALED, "multiplier", -1, "scaling"),
    (SCALED, "shift", 31, "scaling"),
    (SCALED, "shift", -32, "scaling"),
    ((Kind.ADD_S8,), "left_shift", 19, "left shift"),
    ((Kind.ADD_S8,), "input2_multiplier", -1, "scaling"),
    ((Kind.ADD_S8,), "output_shift", -32, "scaling"),
    ((Kind.ADD_S8, Kind.QUANTIZE_S8), "count", HUGE, "output size"),
    ((Kind.MEAN_S8,), "in_h", 0, "input outside the arena"),
    ((Kind.MEAN_S8,), "in_w", HUGE, "too many elements"),
    ((Kind.PAD_S8,), "in_dims", (2).to_bytes(4, "little"), "batch"),
    ((Kind.PAD_S8,), "after", (0).to_bytes(4, "little") + b"\xff" * 12, "padding"),
    ((Kind.PAD_S8,), "value", 128, "padding value"),
    ((Kind.SOFTMAX_S8,), "row_size", 4096, "row size"),
    ((Kind.SOFTMAX_S8,), "rows", 0, "output size"),
    ((Kind.SOFTMAX_S8,), "diff_min", 1, "difference range"),
    ((Kind.SOFTMAX_S8,), "diff_min", -(2**31), "difference range"),
]


@pytest.mark.parametrize(("field", "value", "reason"), HEADERS)
def test_a_bad_header_is_refused(board, field, value, reason):
    answer = board.load(poked(every_kind(), PlanHeader, 0, field, value))
    assert (answer.type, answer.body.code, answer.body.detail) == (Type.ERROR, Error.PLAN_REJECTED, 0)
    assert answer.tail.startswith(b"header: ")
    assert reason in answer.tail.decode()


@pytest.mark.parametrize(("kinds", "field", "value", "reason"), FIELDS)
def test_a_bad_record_is_refused_with_its_index_and_operator(board, kinds, field, value, reason):
    plan = every_kind()
    for place in records(plan):
        if place.kind not in kinds:
            continue
        answer = board.load(poked(plan, place.layout, place.at, field, value))
        assert (answer.type, answer.body.code) == (Type.ERROR, Error.PLAN_REJECTED), (place, answer)
        text = answer.tail.decode()
        assert reason in text
        if field != "head.bytes":
            assert answer.body.detail == place.index
            assert text.startswith(place.kind.name.removesuffix("_S8") + ": ")


def test_an_unknown_kind_is_refused(board):
    plan = every_kind()
    place = records(plan)[3]
    answer = board.load(sealed(plan[: place.at] + b"\xff\x7f" + plan[place.at + 2 :]))
    assert (answer.body.code, answer.body.detail) == (Error.PLAN_REJECTED, 3)
    assert answer.tail == b"unknown operator: kind"


def test_a_per_channel_table_is_checked_entry_by_entry(board):
    plan = every_kind()
    place = records(plan)[0]
    record = layout.unpack(place.layout, plan[place.at : place.at + layout.size(place.layout)])
    for table, value in ((record.multiplier, -1), (record.shift, 31), (record.shift, -32)):
        at = table + 12
        bad = sealed(plan[:at] + (value % 2**32).to_bytes(4, "little") + plan[at + 4 :])
        assert board.load(bad).tail == b"CONV_2D: scaling"


def test_a_kernel_never_reads_what_it_overwrites(board):
    plan = every_kind()
    place = records(plan)[0]
    record = layout.unpack(place.layout, plan[place.at : place.at + layout.size(place.layout)])
    answer = board.load(poked(plan, place.layout, place.at, "head.output", record.input))
    assert answer.tail == b"CONV_2D: input and output overlap"


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


def changed_everywhere(fuzz_plan, plan, folder, values):
    path = folder / "plan.bin"
    path.write_bytes(plan)
    done = subprocess.run([fuzz_plan, path, str(values)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[:3000]
    accepted, refused = (int(n) for n in re.findall(r"\d+", done.stdout))
    return accepted, refused


def test_every_byte_of_every_kind_of_record_changed_does_no_harm(fuzz_plan, tmp_path):
    """Arena and input are heap blocks of exactly the size asked for: kernels may touch nothing beyond."""
    accepted, refused = changed_everywhere(fuzz_plan, every_kind(), tmp_path, 10)
    assert accepted > 1000
    assert refused > 1000


@pytest.mark.parametrize("operator", OPERATORS)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_byte_of_a_random_operator_changed_does_no_harm(fuzz_plan, tmp_path, operator, data):
    case = data.draw(OPERATORS[operator])
    accepted, refused = changed_everywhere(fuzz_plan, compile_plan(case.tflite).data, tmp_path, 6)
    assert accepted > 0
    assert refused > 0
