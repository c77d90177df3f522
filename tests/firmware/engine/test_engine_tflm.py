"""engine_tflm.cc on a stand-in for TensorFlow Lite Micro, which no package carries: what it
promises to the protocol.

That the real library gives the oracle's bytes is tests/hardware/test_tflm_library.py, where
TFLM_DIR names its tree.
"""

import shutil
import subprocess

import numpy as np
import pytest

from tests.support.boards.firmware import Board
from tests.support.boards.native import make
from tests.support.networks.plans import every_kind
from tests.support.paths import ROOT, TESTS
from tests.support.tflite.factory import Affine, Factory
from tests.support.tflite.small import small_tflite
from tinyrobust.core.abi import layout, wire
from tinyrobust.core.abi.plan import PlanHeader
from tinyrobust.core.abi.wire import Error, Hello, Infer, Layer, OperatorTicks, Profile, Reset, Type
from tinyrobust.models.plan.bundle import build
from tinyrobust.models.plan.c_sources import emit_linked

SAMPLE = bytes(range(64))
TREE = TESTS / "firmware" / "engine" / "tflm_tree"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return build(small_tflite(), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def linked(bundle, tmp_path_factory):
    out = tmp_path_factory.mktemp("tflm")
    first, *_ = emit_linked(bundle, out / "model", "tflm")
    where = (f"MODEL={first.parent}", f"BUILTIN={first}", f"TFLM_DIR={TREE}", f"OUT={out}")
    make("asan", "ENGINE=tflm", "TFLM_NAME=TFLM stand-in", *where)
    return out / "asan/tinyrobust_fw"


@pytest.fixture
def device(linked):
    with Board(linked) as board:
        yield board


def header(bundle):
    return layout.unpack(PlanHeader, bundle.plan[: layout.size(PlanHeader)])


def test_it_says_what_it_runs(device, bundle):
    info = device.ask(Hello(wire.PROTOCOL, 0)).body
    assert (info.engine, info.plan_ready, info.plan_in_ram, info.n_ops) == (
        "TFLM stand-in",
        1,
        0,
        3,
    )
    assert (info.plan_id.hex(), info.input, info.output) == (
        bundle.plan_id,
        header(bundle).input,
        header(bundle).output,
    )
    assert info.plan_bytes == layout.size(PlanHeader)
    assert 80 <= info.arena_bytes < 4096


def test_it_infers_and_fails_as_the_library_does(device, bundle):
    crc = header(bundle).crc
    for _ in range(2):
        assert device.ask(Infer(crc), SAMPLE).tail == bytes(range(1, 11))
    answer = device.ask(Infer(crc), bytes([99, *SAMPLE[1:]]))
    assert (answer.type, answer.body.code) == (Type.ERROR, Error.ENGINE_FAILED)
    assert device.ask(Infer(crc), SAMPLE).tail == bytes(range(1, 11))
    assert device.ask(Layer(crc, 0), SAMPLE).body.code == Error.ENGINE_FAILED


def test_it_tells_what_each_operator_took(device, bundle):
    answer = device.ask(Profile(header(bundle).crc), SAMPLE)
    step = layout.size(OperatorTicks)
    names = [
        layout.unpack(OperatorTicks, answer.tail[at : at + step]).name
        for at in range(0, len(answer.tail), step)
    ]
    assert (answer.body.n_ops, names) == (2, ["CONV_2D", "RESHAPE"])


def test_another_network_is_refused_and_reset_brings_its_own_back(device, bundle):
    answer = device.load(every_kind())
    assert (answer.type, answer.body.code) == (Type.ERROR, Error.PLAN_REJECTED)
    assert answer.tail.decode() == "this engine runs only the network that was linked in"
    assert device.ask(Hello(wire.PROTOCOL, 0)).body.plan_ready == 0
    assert device.ask(Reset(0)).body.plan_ready == 1
    assert device.load(bundle.plan).body.ready == 1
    assert device.ask(Infer(header(bundle).crc), SAMPLE).tail == bytes(range(1, 11))


def test_a_network_of_other_operators_is_linked_in_the_same_place(linked, tmp_path):
    f = Factory()
    x = f.input((1, 64), Affine(0.1))
    tflite = f.build(
        x,
        f.fully_connected(
            x, np.ones((10, 64), np.int8), [0.1], np.zeros(10, np.int32), Affine(0.1)
        ),
    )
    one = build(tflite, tmp_path)
    first, *_ = emit_linked(one, tmp_path / "model", "tflm")
    out = shutil.copytree(linked.parents[1], tmp_path / "out")
    where = (f"MODEL={first.parent}", f"BUILTIN={first}", f"TFLM_DIR={TREE}", f"OUT={out}")
    make("asan", "ENGINE=tflm", "TFLM_NAME=TFLM stand-in", *where)
    with Board(out / "asan/tinyrobust_fw") as board:
        assert board.ask(Hello(wire.PROTOCOL, 0)).body.plan_id.hex() == one.plan_id


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "ENGINE=tflm needs TFLM_DIR="),
        ((f"TFLM_DIR={TREE}",), "ENGINE=tflm needs MODEL="),
        (("ENGINE=x",), "cmsis-nn or tflm"),
    ],
)
def test_what_is_missing_is_one_line(given, said, tmp_path):
    argv = ["make", "-C", ROOT / "firmware", "native", "ENGINE=tflm", *given, f"OUT={tmp_path}"]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode != 0
    assert said in done.stderr
