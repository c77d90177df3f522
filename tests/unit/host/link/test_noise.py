"""The share of damaged bytes that the link estimates, against the share that was damaged."""

import pytest

from tests.support.boards.simulated import MemoryBoard, MemoryPlan
from tests.support.link.faults import Clock, Direction, Fault, FaultyPort
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.exchange import Link
from tinyrobust.host.link.noise import MEMORY, Noise, damaged_share

PLAN = MemoryPlan(bytes(range(256)) * 4)


def test_of_frames_of_one_length_the_share_is_the_root_of_what_survived():
    assert damaged_share([(10, True, 35.0), (10, False, 65.0)]) == pytest.approx(
        1 - 0.35**0.1, abs=1e-6
    )
    assert damaged_share([]) == damaged_share([(10, True, 3)]) == 0
    assert damaged_share([(10, False, 3)]) > 0.99


@pytest.mark.parametrize("share", [0.002, 0.02, 0.05])
def test_what_a_line_damages_is_estimated_from_its_frames(share, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("tinyrobust.host.link.exchange.time", clock)
    device = Device(FaultyPort(MemoryBoard(), share, 1, (Fault.FLIP,), clock))
    while clock.now < 5:
        device.load(PLAN)
        device.reset()
    assert 0.6 * share < device.link.noise.share() < 1.6 * share


@pytest.mark.parametrize("way", ["down", "up"])
def test_the_worse_direction_counts(way, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("tinyrobust.host.link.exchange.time", clock)
    port = FaultyPort(MemoryBoard(), 0.0, 1, (Fault.FLIP,), clock)
    setattr(port, way, Direction(0.02, (Fault.FLIP,), 5))
    device = Device(port)
    while clock.now < 5:
        device.load(PLAN)
        device.reset()
    assert 0.01 < device.link.noise.share() < 0.04


def test_no_answer_over_a_bad_way_back_says_nothing_of_the_way_there():
    noise = Noise()
    for _ in range(9):
        noise.hear(20, whole=False)
        noise.hear(20, whole=True)
        noise.told(500, whole=False, by=20)
    assert noise.share() == pytest.approx(1 - 0.5**0.05, abs=1e-6)


def test_a_line_that_got_worse_is_known_by_what_it_does_now():
    noise = Noise()
    for whole in (True, False):
        for _ in range(4 * MEMORY):
            noise.hear(20, whole)
        assert noise.received.total() <= MEMORY
    assert noise.share() > 0.1


def test_a_clean_line_is_clean():
    link = Link(MemoryBoard())
    Device(link.port).load(PLAN)
    assert link.noise.share() == 0
