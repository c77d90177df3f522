"""A Device on the real firmware, running as a child process: the oracle's bytes, through noise and
sudden death.
"""

import os
import signal
import zlib
from dataclasses import replace

import numpy as np
import pytest

from tests.support.boards.native import native_firmware
from tests.support.boards.simulated import MemoryBoard, NoisyPort
from tests.support.networks.oracle import tflm
from tests.support.networks.plans import Loadable
from tests.support.tflite.small import SHAPE, samples, small_tflite
from tinyrobust.core.abi.layout import pack
from tinyrobust.core.abi.wire import OperatorTicks, Profile, Profiled, Result, Type
from tinyrobust.core.errors import LinkError
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.frame import Frame
from tinyrobust.host.link.pipes import ChildPort
from tinyrobust.host.link.requests import RefusedError, Request, answers
from tinyrobust.models.plan.compiler import compile_plan


@pytest.fixture(scope="module")
def model():
    """The small .tflite, and its plan."""
    tflite = small_tflite()
    plan = compile_plan(tflite)
    return tflite, Loadable(plan.data, plan.plan_id)


@pytest.fixture
def port():
    port = ChildPort([native_firmware()])
    yield port
    port.close()


def test_answers_are_the_oracles(model, port):
    device = Device(port, "native")
    info = device.load(model[1])
    assert device.input.shape == SHAPE
    q = samples(200)
    prediction = device.predict(q)
    assert (prediction.raw == tflm(model[0], q)).all()
    assert prediction.ticks is not None
    assert (prediction.ticks > 0).all()
    assert not prediction.retries.any()
    assert (info.board, device.rung) == ("native", "native")


def test_layer_is_what_the_next_one_is_fed(model, port):
    device = Device(port)
    info = device.load(model[1])
    q = samples(3)
    assert (device.layer(info.n_ops - 1, q) == device.predict(q).raw).all()
    assert device.layer(0, q).shape == (3, 64)


def test_a_profile_is_of_every_operator_and_of_the_very_sample(model, port):
    device = Device(port)
    device.load(model[1])
    profiles = device.profile(samples(3))
    assert [[op.name for op in one] for one in profiles] == [
        ["CONV_2D", "RESHAPE", "FULLY_CONNECTED"]
    ] * 3
    assert all(op.ticks for one in profiles for op in one)
    asked = Request(Profile(1), bytes(64))
    told = Profiled(1, zlib.crc32(bytes(64)), 0)
    assert answers(asked, Frame(Type.PROFILED, 1, told))
    assert not answers(asked, Frame(Type.PROFILED, 1, replace(told, input_crc=1)))
    assert not answers(asked, Frame(Type.RESULT, 1, Result(1, told.input_crc, 1)))


class Miscounting(MemoryBoard):
    """Says that it timed two operators, and sends one."""

    def answer(self, frame):
        if isinstance(frame.body, Profile):
            return Profiled(9, zlib.crc32(frame.tail), 2), pack(OperatorTicks(9, "CONV_2D"))
        return super().answer(frame)


def test_a_profile_shorter_than_it_says_is_refused():
    device = Device(Miscounting())
    plan_id = zlib.crc32(b"plan").to_bytes(4, "big") * 8
    device.load(Loadable(b"plan", plan_id.hex()))
    with pytest.raises(LinkError, match="timed 2 operators and sent 32 bytes"):
        device.profile(np.zeros((1, 8), np.int8))


def test_five_percent_noise_changes_no_answer(model, port):
    """64 pixels survive the way to the board once in a hundred tries."""
    device = Device(NoisyPort(port, 0.05, 4))
    device.load(model[1])
    q = samples(12)
    prediction = device.predict(q)
    assert (prediction.raw == tflm(model[0], q)).all()
    assert prediction.retries.sum() > 100
    assert device.counters.naks > 0


def test_killed_firmware_is_one_line(model, port):
    device = Device(port)
    device.load(model[1])
    os.kill(port.pid, signal.SIGKILL)
    with pytest.raises(LinkError, match="tinyrobust_fw: ended with status -9"):
        device.predict(samples(5))


def test_damaged_plan_is_refused_and_the_device_goes_on(model, port):
    device = Device(port)
    plan = model[1].plan
    damaged = replace(model[1], plan=plan[:-1] + bytes([plan[-1] ^ 1]))
    with pytest.raises(RefusedError, match="PLAN_REJECTED"):
        device.load(damaged)
    assert device.load(model[1]).plan_ready


def test_reset_forgets_the_plan(model, port):
    device = Device(port)
    device.load(model[1])
    assert not device.reset().plan_ready
    with pytest.raises(LinkError, match="no plan"):
        device.predict(samples(1))


def test_other_input_is_refused(model, port):
    device = Device(port)
    device.load(model[1])
    wrong = replace(device.input, zero_point=1)
    with pytest.raises(LinkError, match="the board's input"):
        device.load(model[1], wrong)
