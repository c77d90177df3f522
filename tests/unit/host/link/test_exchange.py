"""The link and the device on a board in memory: nothing mislabelled, everything answered, every
loss counted.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.boards.simulated import MemoryBoard, MemoryPlan, NoisyPort, samples
from tinyrobust.core.abi.wire import PROTOCOL, Hello, Infer, Type
from tinyrobust.core.errors import LinkError
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.exchange import Link
from tinyrobust.host.link.requests import LostError, RefusedError

PLAN = MemoryPlan(bytes(range(256)) * 12)


def test_clean_link_answers_each_sample_once():
    board = MemoryBoard()
    device = Device(board)
    device.load(PLAN)
    q = samples(300)
    prediction = device.predict(q)
    assert (prediction.raw == -q).all()
    assert (prediction.logits == -q * np.float32(0.5)).all()
    assert board.inferences == 300
    assert device.counters.retries == 0
    assert prediction.ticks is None


@pytest.mark.slow
@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32), share=st.sampled_from([0.002, 0.01, 0.05]), window=st.integers(1, 8)
)
def test_noise_never_changes_an_answer(seed, share, window):
    device = Device(NoisyPort(MemoryBoard(window), share, seed))
    device.load(PLAN)
    q = samples(20, seed)
    prediction = device.predict(q)
    assert (prediction.raw == -q).all()
    if share == 0.05:
        assert prediction.retries.sum() > 0


class Stuttering(MemoryBoard):
    """Sends everything twice."""

    def read(self, timeout):
        data = super().read(timeout)
        return data + data


def test_duplicate_answers_are_dropped():
    device = Device(Stuttering())
    device.load(PLAN)
    q = samples(50)
    assert (device.predict(q).raw == -q).all()
    assert device.counters.stale >= 50


class WrongCrc(MemoryBoard):
    """Labels its first answer with another sample's CRC."""

    def answer(self, frame):
        body, tail = super().answer(frame)
        if isinstance(frame.body, Infer) and self.inferences == 1:
            body = type(body)(body.ticks, body.input_crc ^ 1, body.plan_crc)
        return body, tail


def test_answer_to_another_input_is_not_taken():
    device = Device(WrongCrc())
    device.load(PLAN)
    device.link._timing[Type.INFER].timeout = 0.05
    q = samples(3)
    assert (device.predict(q).raw == -q).all()
    assert device.counters.retries >= 1


class Silent(MemoryBoard):
    def write(self, data):
        pass


def test_silent_board_is_given_up():
    with pytest.raises(LinkError, match="the line is silent, no answer for"):
        Link(Silent(), silence=0.1).request(Hello(PROTOCOL))


def test_tries_bound_a_request():
    link = Link(Silent())
    link._timing[Type.HELLO].timeout = 0.01
    with pytest.raises(LostError, match="2 times"):
        link.request(Hello(PROTOCOL), tries=2)


def test_refusal_names_the_error():
    with pytest.raises(RefusedError, match="NO_PLAN"):
        Link(MemoryBoard()).request(Infer(0), bytes(8))


def test_other_protocol_is_refused(monkeypatch):
    monkeypatch.setattr("tinyrobust.host.devices.device.PROTOCOL", PROTOCOL ^ 1)
    with pytest.raises(LinkError, match="build and flash"):
        Device(MemoryBoard()).hello()


def test_second_load_of_the_same_plan_sends_nothing():
    device = Device(MemoryBoard())
    device.load(PLAN)
    frames = device.counters.frames_sent
    device.load(PLAN)
    assert device.counters.frames_sent == frames + 1


def test_wrong_sample_shape_is_refused():
    device = Device(MemoryBoard())
    device.load(PLAN)
    with pytest.raises(LinkError, match="takes int8"):
        device.predict(np.zeros((1, 9), np.int8))
