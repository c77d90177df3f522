"""Real boards, as a fake one on a pseudo-terminal: rates, garbage, strangers, hangs, cables pulled
out.
"""

import errno
import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.support.boards.attached import COMPLAINTS, F746_INFO, Board, FakeDesk, Parrot
from tests.support.boards.simulated import MemoryPlan, samples
from tinyrobust.core.abi.wire import FIRST_BAUD, Error, ErrorReply, Infer, TickUnit, Type
from tinyrobust.core.errors import LinkError
from tinyrobust.host.boards import probes
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.devices import attached_board, rate
from tinyrobust.host.devices.attach import attach
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link import serial_port, timing
from tinyrobust.host.link.serial_port import SerialPort

PLAN = MemoryPlan(bytes(range(256)) * 12)
NUCLEO = get_board("nucleo_f746")


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """A fake desk and what was said, with short waits."""
    monkeypatch.setattr(attached_board, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(attached_board, "restart", lambda board, number: False)
    with_desks = []

    def build(board=None, **options):
        fake = FakeDesk(board or Board(**F746_INFO), tmp_path / "ttyFAKE", **options).__enter__()
        with_desks.append(fake)
        return fake

    yield build
    for fake in with_desks:
        fake.__exit__()


def connect(fake, said=print):
    return attach(NUCLEO, said, url=fake.url)


def test_the_line_is_raised_to_the_boards_highest_rate(opened):
    fake = opened()
    with connect(fake) as device:
        assert device.info.baud == fake.board.baud == 2_000_000
        assert device.image == (b"\2" * 20).hex()
        device.load(PLAN)
        q = samples(50)
        assert (device.predict(q).raw == -q).all()
        assert device.time(q).tolist() == list(range(51, 101))


def test_a_board_with_a_lower_rate_keeps_the_first_one(opened):
    with connect(opened(Board(max_baud=FIRST_BAUD, **F746_INFO))) as device:
        assert device.info.baud == FIRST_BAUD


def test_a_wire_that_does_not_bear_the_rate_falls_back(opened):
    said = []
    with connect(opened(carries=1_000_000), said.append) as device:
        device.load(PLAN)
        assert (device.predict(samples(5)).raw == -samples(5)).all()
        assert device.info.baud == FIRST_BAUD
    assert "does not carry 2000000 baud: going on at 115200" in said[-1]


def test_a_board_left_at_a_high_rate_is_found(opened):
    fake = opened()
    fake.board.baud = fake.board.next_baud = 2_000_000
    with connect(fake) as device:
        assert device.info.board == "nucleo_f746"


def test_garbage_at_boot_is_skipped(opened):
    noise = np.random.default_rng(7).integers(0, 256, 3000, np.uint8).tobytes()
    with connect(opened(garbage=b"U-Boot 2019.01\r\n" + noise)) as device:
        device.load(PLAN)
        assert not device.predict(samples(9)).retries.any()


@pytest.mark.parametrize(
    ("says", "complaint"),
    [
        (
            {"board": "disco_l475"},
            "nucleo_f746 was asked for, disco_l475 counting CPU_CYCLES answers",
        ),
        ({"tick_unit": TickUnit.SYSTICK}, "nucleo_f746 counting SYSTICK answers"),
        ({"protocol": 7}, "runs firmware 1 of protocol 00000007.*build and flash"),
    ],
)
def test_a_stranger_is_one_line(opened, says, complaint):
    with pytest.raises(LinkError, match=complaint):
        connect(opened(Board(**{**F746_INFO, **says})))


class Older(Board):
    """Firmware whose HELLO was shorter."""

    def answer(self, frame):
        return ErrorReply(Error.BAD_LENGTH, 4), b"bytes of body and tail expected"


def test_firmware_of_an_older_protocol_is_one_line(opened):
    with pytest.raises(LinkError, match=r"another version of the protocol.*build and flash"):
        connect(opened(Older(**F746_INFO)))


def test_other_firmware_is_one_line(opened):
    with pytest.raises(
        LinkError, match=r"no answer at 115200 baud, \d+ bytes came, no message: other firmware"
    ):
        connect(opened(Parrot(**F746_INFO)))


def test_a_mute_board_is_one_line(opened, monkeypatch):
    monkeypatch.setitem(timing.FIRST_TIMEOUT, Type.HELLO, 0.02)
    fake = opened()
    fake.hung = True
    with pytest.raises(
        LinkError,
        match=r"not a byte came: flash the board \(make flash\) or press its reset button",
    ):
        connect(fake)


def test_a_silence_is_given_up_by_the_clock_and_the_usual_patience_comes_back(opened, monkeypatch):
    monkeypatch.setattr(rate, "SECONDS", 0.1)
    fake = opened()
    fake.hung = True
    with Device(SerialPort(fake.url)) as device:
        usual = device.link.silence
        with pytest.raises(LinkError, match="not a byte came"):
            rate.meet(device, device.link.port, 2_000_000, print)
        assert device.counters.retries == 0
        assert device.link.silence == usual


class Listener(Board):
    """Keeps what it hears."""

    heard = b""

    def write(self, data):
        self.heard += data
        super().write(data)


def test_a_board_hears_as_many_empty_frames_as_make_it_fall_back_before_hello(opened):
    board = Listener(**F746_INFO)
    with connect(opened(board)):
        assert board.heard.startswith(bytes(2 * COMPLAINTS))


class Small(Board):
    """Refuses plans for want of RAM."""

    def answer(self, frame):
        body, tail = super().answer(frame)
        return (
            (ErrorReply(Error.PLAN_TOO_LARGE, 70_000), b"bytes of RAM needed")
            if frame.type == 2
            else (body, tail)
        )


def test_a_network_that_does_not_fit_says_by_how_much(opened):
    with (
        connect(opened(Small(**F746_INFO))) as device,
        pytest.raises(LinkError, match=r"70000 bytes of RAM .* 4464 more than the 65536"),
    ):
        device.load(PLAN)


def test_a_port_in_use(opened):
    fake = opened()
    with connect(fake), pytest.raises(LinkError, match="is in use by another program"):
        connect(fake)


def test_a_port_without_permission_names_the_group(monkeypatch, tmp_path):
    def refuse(*args, **options):
        raise serial_port.serial.SerialException(
            errno.EACCES, "could not open port: Permission denied"
        )

    port = tmp_path / "ttyACM0"
    port.touch()
    monkeypatch.setattr(serial_port.serial, "serial_for_url", refuse)
    with pytest.raises(
        LinkError, match=rf"no permission: join the group {port.group()} \(sudo usermod -aG"
    ):
        SerialPort(str(port))
    with pytest.raises(LinkError, match="join the group dialout"):
        SerialPort("/nonexistent/ttyACM0")


class Tripping(Board):
    """Calls ``trip`` at its tenth inference."""

    def answer(self, frame):
        if isinstance(getattr(frame, "body", None), Infer) and self.inferences == 10 and self.trip:
            trip, self.trip = self.trip, None
            trip()
        return super().answer(frame)


def test_an_unplugged_board_is_waited_for(opened):
    fake, said = opened(Tripping(**F746_INFO)), []

    def pull():
        fake.unplug()
        threading.Timer(0.3, lambda: (fake.restart(), fake.plug())).start()

    fake.board.trip = pull
    with connect(fake, said.append) as device:
        device.load(PLAN)
        q = samples(40)
        assert (device.predict(q).raw == -q).all()
    assert "waiting for nucleo_f746 to come back" in said[0]
    assert said[-1] == "nucleo_f746 is back"


def test_another_board_in_its_place_is_refused(opened):
    fake = opened(Tripping(**F746_INFO))

    def swap():
        fake.unplug()
        fake.board.says = {**fake.board.says, "uid": b"\3" * 12}
        threading.Timer(0.2, lambda: (fake.restart(), fake.plug())).start()

    fake.board.trip = swap
    with connect(fake) as device:
        device.load(PLAN)
        with pytest.raises(LinkError, match="another board or another image came back"):
            device.predict(samples(40))


def test_a_hanging_board_is_restarted_by_its_probe(opened, monkeypatch):
    monkeypatch.setitem(timing.FIRST_TIMEOUT, Type.HELLO, 0.02)
    fake, said = opened(Tripping(**F746_INFO)), []
    probe = SimpleNamespace(device=fake.url, vid=0x0483, pid=0x374B, serial_number="")
    monkeypatch.setattr(probes.list_ports, "comports", lambda: [probe])
    monkeypatch.setattr(attached_board, "restart", lambda board, number: (fake.restart(), True)[1])
    fake.board.trip = lambda: setattr(fake, "hung", True)
    with connect(fake, said.append) as device:
        device.load(PLAN)
        device.link.silence = 0.3
        q = samples(40)
        assert (device.predict(q).raw == -q).all()
    assert any("restarted by its probe" in line for line in said)


@pytest.fixture
def two_probes(opened, monkeypatch):
    """A hanging board behind the probe B2 and another probe A1 beside it; what was restarted, by
    number.
    """
    monkeypatch.setitem(timing.FIRST_TIMEOUT, Type.HELLO, 0.02)
    fake = opened(Tripping(**F746_INFO))
    fake.board.trip = lambda: setattr(fake, "hung", True)
    fake.restarted = []
    monkeypatch.setattr(attached_board, "WAIT_SECONDS", 10.0)

    def plug(number):
        rows = [("/nonexistent/ttyACM9", 0x374B, "A1"), (fake.url, 0x3752, number)]
        ports = [SimpleNamespace(device=d, vid=0x0483, pid=p, serial_number=n) for d, p, n in rows]
        monkeypatch.setattr(probes.list_ports, "comports", lambda: ports)

    def restart(board, number):
        fake.restarted.append(number)
        if number == "B2":
            fake.restart()
        return True

    monkeypatch.setattr(attached_board, "restart", restart)
    fake.plug_probes = plug
    return fake


@pytest.mark.parametrize("how", ["port", "serial"])
def test_of_two_probes_the_one_of_the_port_in_use_restarts_its_board(two_probes, how):
    two_probes.plug_probes("B2")
    where = {"url": two_probes.url} if how == "port" else {"serial_number": "B2"}
    with attach(NUCLEO, print, **where) as device:
        device.load(PLAN)
        device.link.silence = 0.3
        assert (device.predict(samples(40)).raw == -samples(40)).all()
    assert set(two_probes.restarted) == {"B2"}


def test_a_probe_that_cannot_be_told_from_another_restarts_nothing(two_probes):
    two_probes.plug_probes("")
    said = []

    def press_reset(line):
        said.append(line)
        if "reset button" in line:
            two_probes.restart()

    with attach(NUCLEO, press_reset, url=two_probes.url) as device:
        device.load(PLAN)
        device.link.silence = 0.3
        assert (device.predict(samples(40)).raw == -samples(40)).all()
    assert two_probes.restarted == []
    assert any("press its reset button" in line for line in said)


def test_a_board_that_restarts_behind_an_open_port_gets_its_plan_again(opened):
    fake = opened(Tripping(max_baud=FIRST_BAUD, **F746_INFO))
    fake.board.trip = fake.restart
    with connect(fake) as device:
        device.load(PLAN)
        q = samples(40)
        assert (device.predict(q).raw == -q).all()


def test_a_board_that_always_fails_is_given_up(opened, monkeypatch):
    fake = opened()
    with connect(fake) as device:
        device.load(PLAN)
        recoveries = []
        monkeypatch.setattr(device, "_recover", lambda *_: recoveries.append(1))
        monkeypatch.setattr(device, "stream", lambda q: (_ for _ in ()).throw(LinkError("gone")))
        with pytest.raises(LinkError, match="gone"):
            device.predict(samples(3))
    assert len(recoveries) == 5


@pytest.mark.parametrize("rate", [FIRST_BAUD + 1, 99_000_000])
def test_a_rate_that_nobody_asked_for_is_one_line(opened, rate):
    class Liar(Board):
        def info(self):
            return replace(super().info(), baud=rate)

    with pytest.raises(
        LinkError, match=f"2000000 baud were asked for, the board goes on at {rate}: reset it"
    ):
        connect(opened(Liar(**F746_INFO)))
