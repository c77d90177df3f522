"""Every message of tinyrobust/core/abi/wire/ against the sanitized firmware, in order and out of
it.
"""

import zlib

import numpy as np
import pytest

from tests.support.networks.plans import HEADER, every_kind, records
from tinyrobust.core.abi import layout, wire
from tinyrobust.core.abi.plan import PlanHeader
from tinyrobust.core.abi.wire import (
    Error,
    Hello,
    Infer,
    Layer,
    Load,
    Loaded,
    OperatorTicks,
    Profile,
    Reset,
    Type,
)
from tinyrobust.host.link.frame import decoded_size, encode

SAMPLE = bytes(range(64))


def crc(plan):
    return layout.unpack(PlanHeader, plan[:HEADER]).crc


def error(answer):
    assert answer.type == Type.ERROR, answer
    return Error(answer.body.code), answer.body.detail, answer.tail.decode()


def test_hello_before_any_plan(board):
    info = board.ask(Hello(wire.PROTOCOL)).body
    assert (info.protocol, info.board, info.tick_unit) == (
        wire.PROTOCOL,
        "native",
        wire.TickUnit.HOST_NS,
    )
    assert (info.plan_ready, info.plan_crc, info.plan_id, info.n_ops, info.window) == (
        0,
        0,
        bytes(32),
        0,
        1,
    )
    assert info.engine.startswith("CMSIS-NN")
    assert info.firmware.startswith("tinyrobust")
    assert info.pool_free == info.pool_bytes - info.max_frame
    assert info.max_frame >= decoded_size(Load(0, 0), bytes(wire.LOAD_CHUNK))


def test_hello_of_another_protocol_is_answered_so_that_the_host_can_refuse(board):
    assert board.ask(Hello(wire.PROTOCOL ^ 1)).body.protocol == wire.PROTOCOL


def test_load_and_what_info_says_of_it(board):
    plan = every_kind()
    header = layout.unpack(PlanHeader, plan[:HEADER])
    board.load(plan)
    info = board.ask(Hello(wire.PROTOCOL)).body
    assert (info.plan_ready, info.plan_crc, info.plan_id) == (1, header.crc, header.plan_id)
    assert (info.n_ops, info.input, info.output) == (header.n_ops, header.input, header.output)
    assert (info.plan_bytes, info.plan_in_ram, info.arena_bytes) == (
        len(plan),
        1,
        header.arena_bytes,
    )
    used = -(-len(plan) // 16) * 16 + info.arena_bytes + info.scratch_bytes + info.max_frame
    assert info.pool_free == info.pool_bytes - used
    assert info.window == 32


def test_result_echoes_what_it_answers(board):
    plan = every_kind()
    board.load(plan)
    answer = board.ask(Infer(crc(plan)), SAMPLE)
    assert answer.type == Type.RESULT
    assert (answer.body.input_crc, answer.body.plan_crc) == (zlib.crc32(SAMPLE), crc(plan))
    assert len(answer.tail) == 4
    assert 0 < answer.body.ticks < 10**9
    assert board.ask(Infer(crc(plan)), SAMPLE).tail == answer.tail


def test_the_last_layer_is_the_result(board):
    plan = every_kind()
    board.load(plan)
    last = len(records(plan)) - 1
    layer = board.ask(Layer(crc(plan), last), SAMPLE)
    assert (layer.type, layer.body) == (Type.LAYER_DATA, wire.LayerData(zlib.crc32(SAMPLE), last))
    assert layer.tail == board.ask(Infer(crc(plan)), SAMPLE).tail
    assert len(board.ask(Layer(crc(plan), 0), SAMPLE).tail) == 64
    assert error(board.ask(Layer(crc(plan), last + 1), SAMPLE))[:2] == (Error.BAD_LENGTH, last + 1)


def test_a_profile_names_and_times_every_operator(board):
    plan = every_kind()
    board.load(plan)
    answer = board.ask(Profile(crc(plan)), SAMPLE)
    step = layout.size(OperatorTicks)
    ops = [
        layout.unpack(OperatorTicks, answer.tail[at : at + step])
        for at in range(0, len(answer.tail), step)
    ]
    assert (answer.type, answer.body.input_crc, answer.body.n_ops) == (
        Type.PROFILED,
        zlib.crc32(SAMPLE),
        len(ops),
    )
    assert [op.name for op in ops] == [
        place.kind.name.removesuffix("_S8") for place in records(plan)
    ]
    assert 0 < sum(op.ticks for op in ops) <= answer.body.ticks < 10**9
    assert board.ask(Profile(crc(plan)), SAMPLE).body.n_ops == len(ops)


@pytest.mark.parametrize("ask", [Infer, Profile, lambda plan_crc: Layer(plan_crc, 0)])
def test_requests_for_another_plan_or_of_another_size_are_refused(board, ask):
    plan = every_kind()
    assert error(board.ask(ask(crc(plan)), SAMPLE))[:2] == (Error.NO_PLAN, 0)
    board.load(plan)
    assert error(board.ask(ask(crc(plan) ^ 1), SAMPLE))[:2] == (Error.NO_PLAN, crc(plan))
    for n in (0, 63, 65, 4096):
        assert error(board.ask(ask(crc(plan)), bytes(n)))[:2] == (Error.BAD_LENGTH, 64)


def test_reset_forgets_the_plan(board):
    plan = every_kind()
    board.load(plan)
    info = board.ask(Reset(0))
    assert (info.type, info.body.plan_ready, info.body.plan_id) == (Type.INFO, 0, bytes(32))
    assert error(board.ask(Infer(crc(plan)), SAMPLE))[0] == Error.NO_PLAN


def test_a_chunk_whose_answer_was_lost_may_be_sent_again(board):
    plan = every_kind()
    for at in range(0, len(plan), 512):
        first = board.ask(Load(len(plan), at), plan[at : at + 512])
        assert board.ask(Load(len(plan), at), plan[at : at + 512]).body == first.body
    assert first.body == Loaded(len(plan), 1)
    assert board.ask(Infer(crc(plan)), SAMPLE).type == Type.RESULT


def test_chunks_out_of_order_are_told_the_offset(board):
    plan = every_kind()
    total = len(plan)
    assert error(board.ask(Load(total, 512), plan[512:1024]))[:2] == (Error.WRONG_OFFSET, 0)
    board.ask(Load(total, 0), plan[:512])
    assert error(board.ask(Load(total, 1024), plan[1024:1536]))[:2] == (Error.WRONG_OFFSET, 512)
    assert error(board.ask(Load(total, 256), plan[256:500]))[:2] == (Error.WRONG_OFFSET, 512)
    assert error(board.ask(Load(total + 1, 512), plan[512:1024]))[:2] == (Error.WRONG_OFFSET, 512)
    board.ask(Load(total, 512), plan[512:1024])
    assert board.ask(Load(total, 0), plan[:512]).body == Loaded(512, 0)


def test_load_lengths_are_bounded(board):
    pool = board.ask(Hello(wire.PROTOCOL)).body.pool_bytes
    assert error(board.ask(Load(1000, 0)))[0] == Error.BAD_LENGTH
    assert error(board.ask(Load(10, 0), bytes(11)))[:2] == (Error.BAD_LENGTH, 10)
    assert error(board.ask(Load(1000, 2**32 - 1), bytes(11)))[0] == Error.BAD_LENGTH
    code, needed, _ = error(board.ask(Load(pool, 0), bytes(16)))
    assert code == Error.PLAN_TOO_LARGE
    assert needed > pool
    assert error(board.ask(Load(2**32 - 1, 0), bytes(16)))[:2] == (Error.PLAN_TOO_LARGE, 2**32 - 1)


def test_a_rejected_plan_leaves_nothing_behind_and_the_reason_is_repeated(board):
    plan = every_kind()
    board.load(plan)
    broken = plan[:-1] + bytes([plan[-1] ^ 1])
    first = error(board.load(broken))
    assert first == (Error.PLAN_REJECTED, 0, "header: checksum")
    start = (len(broken) - 1) // wire.LOAD_CHUNK * wire.LOAD_CHUNK
    assert error(board.ask(Load(len(broken), start), broken[start:])) == first
    assert board.ask(Hello(wire.PROTOCOL)).body.plan_ready == 0
    board.load(plan)
    assert board.ask(Infer(crc(plan)), SAMPLE).type == Type.RESULT


def frame(kind, payload, seq=77):
    from cobs import cobs

    data = layout.pack(wire.FrameHeader(kind, 0, seq)) + payload
    return cobs.encode(data + zlib.crc32(data).to_bytes(4, "little")) + b"\0"


@pytest.mark.parametrize("kind", [0, 7, 0x81, 0x83, 0xFF])
def test_unknown_types_and_answers_are_refused_by_sequence_number(board, kind):
    board.send(frame(kind, bytes(8)))
    answer = board.receive()
    assert (answer.seq, error(answer)[:2]) == (77, (Error.UNKNOWN_TYPE, kind))


@pytest.mark.parametrize(
    ("kind", "n", "expected"),
    [(1, 7, 8), (1, 9, 8), (2, 7, 8), (2, 4105, 4104), (3, 3, 4), (5, 0, 4)],
)
def test_bodies_of_another_length_are_refused(board, kind, n, expected):
    board.send(frame(kind, bytes(n)))
    assert error(board.receive())[:2] == (Error.BAD_LENGTH, expected)


def test_damaged_and_oversized_frames_are_answered_with_sequence_0(board):
    capacity = board.ask(Hello(wire.PROTOCOL)).body.max_frame
    good = encode(9, Hello(wire.PROTOCOL))
    for bad, detail in (
        (good[:-3] + b"\0", 0),
        (b"\x05ab\0", 0),
        (frame(1, bytes(capacity)), capacity),
    ):
        board.send(bad)
        answer = board.receive()
        assert (answer.seq, error(answer)[:2]) == (0, (Error.BAD_FRAME, detail))
    board.send(b"\0\0\0" + good)
    assert board.receive().seq == 9


def test_requests_in_flight_are_answered_in_order(board):
    plan = every_kind()
    board.load(plan)
    rng = np.random.default_rng(1)
    samples = [rng.integers(0, 256, 64, np.uint8).tobytes() for _ in range(32)]
    board.send(b"".join(encode(100 + i, Infer(crc(plan)), s) for i, s in enumerate(samples)))
    for i, sample in enumerate(samples):
        answer = board.receive()
        assert (answer.seq, answer.body.input_crc) == (100 + i, zlib.crc32(sample))
