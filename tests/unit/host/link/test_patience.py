"""Lines that harm bytes in every way: borne while answers are to be expected, then given up."""

import re

import numpy as np
import pytest

from tests.support.boards.simulated import MemoryBoard, MemoryPlan
from tests.support.link.faults import Clock, Fault, FaultyPort
from tinyrobust.core.abi.wire import PROTOCOL, Hello, Tensor
from tinyrobust.core.errors import LinkError
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.exchange import Link
from tinyrobust.host.link.patience import (
    HOPELESS_SECONDS,
    MOST_SAY_SECONDS,
    PATIENCE_SECONDS,
    SAY_SECONDS,
    NoisyError,
    Patience,
)

PLAN = MemoryPlan(bytes(range(256)) * 2)


class Wide(MemoryBoard):
    """Takes ``width`` bytes and answers 8."""

    def __init__(self, width):
        super().__init__(input=Tensor((1, 1, 1, width), 9, 0.5, 0))

    def answer(self, frame):
        body, tail = super().answer(frame)
        return body, tail[:8]


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("tinyrobust.host.link.exchange.time", clock)
    return clock


def asked(clock, share, width, n, seed=1):
    """A Device over such a line, ``n`` samples of ``width`` bytes for it, and what it will say."""
    said = []
    device = Device(FaultyPort(Wide(width), share, seed, tuple(Fault), clock), say=said.append)
    return device, np.random.default_rng(0).integers(-127, 128, (n, width), np.int8), said


@pytest.mark.parametrize("share", [0.001, 0.005, 0.01])
def test_mixed_faults_of_some_bytes_cost_some_time(clock, share):
    device, q, said = asked(clock, share, 64, 20)
    device.load(PLAN)
    assert (device.predict(q).raw == -q[:, :8]).all()
    assert clock.now < 10
    assert not said


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_mixed_faults_of_5_percent_of_the_bytes_are_slow_and_said_to_be(clock, seed):
    device, q, said = asked(clock, 0.05, 64, 8, seed)
    device.load(PLAN)
    assert (device.predict(q).raw == -q[:, :8]).all()
    assert clock.now < PATIENCE_SECONDS
    assert re.match(
        r"the line damages about [3-6](\.\d)? % of the bytes \(\d+ of \d+ requests "
        r"lost\), all but \d+",
        said[0],
    )


def test_samples_that_cannot_arrive_are_given_up_with_the_rate(clock):
    device, q, _ = asked(clock, 0.02, 3072, 4)
    device._recover = lambda *_: pytest.fail("a restart betters no line")
    device.load(PLAN)
    begun = clock.now
    with pytest.raises(NoisyError) as err:
        device.predict(q)
    assert re.fullmatch(
        r"the line damages about (1\.\d|2(\.\d)?) % of the bytes \(\d+ of \d+ requests "
        r"lost\), no answer for 3\d s; "
        r"a request of 3\d\d\d bytes arrives whole once in 10\^\d\d tries: "
        r"use a shorter cable, another USB port or a lower rate \(baud in the board's file\)",
        str(err.value),
    )
    assert clock.now - begun < 2 * HOPELESS_SECONDS


def test_a_line_beyond_hope_is_given_up_in_half_a_minute(clock):
    device, _, said = asked(clock, 0.2, 64, 1)
    with pytest.raises(
        LinkError,
        match=r"damages about \d\d % of the bytes|no intact frame .*, no answer for 30 s",
    ):
        device.hello()
    assert clock.now < 2 * HOPELESS_SECONDS
    assert said


class Babbling(MemoryBoard):
    """Says much, and nothing in frames."""

    def read(self, timeout):
        return bytes(range(1, 100)) + b"\0"


def test_what_only_babbles_is_no_noisy_line(clock):
    """Another rate, say: a board may be got back from that."""
    with pytest.raises(
        LinkError, match=r"no intact frame .*, no answer for 30 s: another rate, other firmware"
    ) as err:
        Link(FaultyPort(Babbling(), 0.0, 1, clock=clock, baud=9600)).request(Hello(PROTOCOL))
    assert not isinstance(err.value, NoisyError)


def test_a_slow_board_on_a_good_line_is_waited_for():
    patience = Patience()
    patience.begin(0)
    for now in range(0, int(PATIENCE_SECONDS), 30):
        patience.sent()
        patience.check(now, 1, 100)
    with pytest.raises(
        NoisyError, match=r"^the line loses frames \(10 of 10 requests lost\), no answer for 301 s"
    ):
        patience.check(PATIENCE_SECONDS + 1, 1, 100)


def test_it_is_said_ever_less_often_and_only_while_it_is_slow():
    said = []
    patience = Patience(say=said.append)
    patience.begin(0)
    for now in range(300):
        patience.sent()
        patience.check(now, 1, 10)
        if now == 250:
            patience.answered(now)
            for _ in range(20):
                patience.sent()
                patience.answered(now)
    assert len(said) == 5  # 11, 32, 73, 134 and 195 s: pauses of 10, 20, 40 and 60 s
    assert SAY_SECONDS < MOST_SAY_SECONDS
