"""A board that does not answer, at `run`, at `flash` and at `doctor`: what its probe reads of it is
in the error.
"""

import json
from types import SimpleNamespace

import pytest

from tests.support.boards.attached import F746_INFO, Board, FakeDesk, Parrot
from tests.support.chips import openocd as fake_openocd
from tests.support.chips.register_dumps import F746_WORDS
from tinyrobust.core.errors import LinkError
from tinyrobust.host import cli
from tinyrobust.host.boards import probes
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.devices import rate
from tinyrobust.host.devices.attach import attach
from tinyrobust.host.devices.attached_board import AttachedBoard
from tinyrobust.host.devices.flash import confirm

NUCLEO = get_board("nucleo_f746")
SLOW = "USART3 runs at 28,800 baud: its clock is 54 MHz (PCLK1), not 216 (SYSCLK)"


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A board that says nothing, behind the probe B2; another probe, A1, is beside it.

    OpenOCD reads a wrong clock.
    """
    monkeypatch.setattr(rate, "SECONDS", 0.1)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    fake_openocd.install(tmp_path, {**F746_WORDS, 0x40023890: 0})
    with FakeDesk(Board(**F746_INFO), tmp_path / "tty") as fake:
        fake.hung = True
        rows = [("/nonexistent/ttyACM9", "A1"), (fake.url, "B2")]
        ports = [
            SimpleNamespace(device=d, vid=0x0483, pid=0x374B, serial_number=n) for d, n in rows
        ]
        monkeypatch.setattr(probes.list_ports, "comports", lambda: ports)
        fake.log = tmp_path / "openocd.log"
        fake.ports = ports
        yield fake


def test_a_mute_board_is_looked_at_through_the_probe_of_its_port(desk):
    said = []
    with pytest.raises(LinkError) as error:
        attach(NUCLEO, said.append, url=desk.url)
    assert str(error.value).endswith(f"press its reset button; through its probe: {SLOW}")
    assert said == ["nucleo_f746 does not answer: looking at its chip through its probe"]
    assert desk.log.read_text().startswith("-f board/st_nucleo_f7.cfg -c adapter serial B2 -c ")


def test_so_is_one_that_answers_in_another_rate(desk):
    desk.hung, desk.board = False, Parrot(**F746_INFO)
    with pytest.raises(LinkError, match=r"\d+ bytes came, no message.*USART3 runs at 28,800 baud"):
        attach(NUCLEO, print, url=desk.url)


def test_so_is_one_that_was_just_flashed(desk, tmp_path):
    with pytest.raises(LinkError, match=r"not a byte came.*USART3 runs at 28,800 baud"):
        confirm(AttachedBoard(NUCLEO, desk.url, "B2", print), tmp_path / "none.elf")


def test_a_board_of_another_kind_is_not_looked_at(desk):
    desk.hung, desk.board = False, Board(**{**F746_INFO, "board": "disco_l475"})
    with pytest.raises(LinkError, match="disco_l475"):
        attach(NUCLEO, print, url=desk.url)
    assert not desk.log.exists()


def test_what_could_not_be_looked_at_is_said(desk, tmp_path):
    fake_openocd.install(tmp_path, {}, status=1)
    with pytest.raises(
        LinkError, match=r"not a byte came.*its chip could not be looked at: OpenOCD failed"
    ):
        attach(NUCLEO, print, url=desk.url)
    desk.ports.clear()
    with pytest.raises(
        LinkError, match=r"its chip could not be looked at: .*tty belongs to no probe that is known"
    ):
        attach(NUCLEO, print, url=desk.url)


def test_doctor_says_what_is_wrong_with_a_board(desk, capsys):
    assert cli.main(["doctor", "--board", "nucleo_f746", "--port", desk.url]) == 3
    said = capsys.readouterr()
    assert "54 MHz (PCLK1)" in said.out
    assert "216 MHz (PLL from HSE)" in said.out
    assert said.err.splitlines()[-1].startswith("tinyrobust: error: ")
    assert said.err.splitlines()[-1].endswith(SLOW)
    assert cli.main(["doctor", "--board", "nucleo_f746", "--serial", "B2", "--json"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdict"] == SLOW
    assert ["USART3 rate", "28,800 baud"] in answer["facts"]


def test_doctor_on_a_board_that_answers(desk, capsys):
    desk.hung = False
    assert cli.main(["doctor", "--board", "nucleo_f746", "--port", desk.url, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdict"] == "nucleo_f746 answers"
    assert ["baud", "2000000"] in answer["facts"]
    assert not desk.log.exists()


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--board", "qemu_an500"], "qemu_an500 is not a real board"),
        (["--board", "nucleo"], "unknown board"),
        (["--serial", "B2"], "name it, too"),
    ],
)
def test_doctor_refuses_what_it_cannot_do(argv, says, capsys):
    assert cli.main(["doctor", *argv]) == 2
    assert says in capsys.readouterr().err
