"""A plan linked into flash: there at boot, replaced by an upload, back after RESET."""

import pytest

from tests.support.boards.firmware import Board
from tests.support.boards.native import make
from tests.support.networks.plans import HEADER, every_kind, poked
from tinyrobust.core.abi import layout, wire
from tinyrobust.core.abi.plan import PlanHeader
from tinyrobust.core.abi.wire import Hello, Infer, Reset, Type

SAMPLE = bytes(64)


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    """A firmware with ``every_kind()`` in flash."""
    folder = tmp_path_factory.mktemp("builtin")
    source = folder / "plan.cc"
    plan = every_kind()
    source.write_text(
        '#include "engine/builtin/builtin_plan.h"\n'
        f"alignas(16) extern const uint8_t g_builtin_plan[] = {{{','.join(map(str, plan))}}};\n"
        f"extern const uint32_t g_builtin_plan_size = {len(plan)};\n"
    )
    make("native", f"OUT={folder}", f"BUILTIN={source}")
    return folder / "native/tinyrobust_fw"


def test_a_linked_plan_survives_uploads(linked):
    plan = every_kind()
    crc = layout.unpack(PlanHeader, plan[:HEADER]).crc
    other = poked(plan, PlanHeader, 0, "model_sha256", b"another model's fingerprint here")
    with Board(linked) as board:
        info = board.ask(Hello(wire.PROTOCOL)).body
        assert (info.plan_ready, info.plan_crc, info.plan_in_ram, info.plan_bytes) == (
            1,
            crc,
            0,
            len(plan),
        )
        assert (
            info.pool_free
            == info.pool_bytes - info.arena_bytes - info.scratch_bytes - info.max_frame
        )
        output = board.ask(Infer(crc), SAMPLE).tail
        board.load(other)
        info = board.ask(Hello(wire.PROTOCOL)).body
        assert (info.plan_ready, info.plan_in_ram) == (1, 1)
        assert info.plan_crc != crc
        assert board.ask(Infer(info.plan_crc), SAMPLE).tail == output
        back = board.ask(Reset(0)).body
        assert (back.plan_ready, back.plan_crc, back.plan_in_ram) == (1, crc, 0)
        answer = board.ask(Infer(crc), SAMPLE)
        assert (answer.type, answer.tail) == (Type.RESULT, output)
