"""Probes that are plugged in: which is a board's, and which of two alike is meant."""

from types import SimpleNamespace

import pytest

from tinyrobust.core.errors import LinkError
from tinyrobust.host.boards import probes
from tinyrobust.host.boards.probes import attached, find_attached, probe_at, probe_to_program
from tinyrobust.host.boards.table import get_board

NUCLEO = get_board("nucleo_f746")
TWO = (("ttyACM0", 0x0483, 0x374B, "A1"), ("ttyACM1", 0x0483, 0x3752, "B2"))


@pytest.fixture
def plug(monkeypatch):
    """Plugs in serial ports: (device, vid, pid, serial number)."""

    def plugged(*rows):
        ports = [
            SimpleNamespace(device=str(d), vid=v, pid=p, serial_number=s) for d, v, p, s in rows
        ]
        monkeypatch.setattr(probes.list_ports, "comports", lambda: ports)

    return plugged


@pytest.mark.parametrize("pid", [0x374B, 0x3752, 0x374E, 0x374F, 0x3753, 0x3754, 0x3757])
@pytest.mark.parametrize("name", ["nucleo_f746", "nucleo_h743zi", "nucleo_l4r5zi", "disco_l475"])
def test_a_board_is_found_behind_any_st_link_with_a_serial_port(plug, name, pid):
    plug(
        ("ttyS0", None, None, None),
        ("ttyUSB0", 0x0403, 0x6001, "F"),
        ("ttyACM0", 0x0483, pid, "A1"),
    )
    assert find_attached(get_board(name)).url == "ttyACM0"
    assert attached(get_board("qemu_an500")) == []


@pytest.mark.parametrize("pid", [0x5740, 0x374D, 0x3755])
def test_other_devices_of_the_same_maker_are_no_probes(plug, pid):
    plug(("ttyACM0", 0x0483, pid, "A1"))
    assert attached(NUCLEO) == []


def test_none_and_several_are_errors_that_say_what_to_do(plug):
    plug()
    with pytest.raises(LinkError, match=r"no st-link \(0483:374b.*plug the board in"):
        find_attached(NUCLEO)
    plug(*TWO)
    with pytest.raises(LinkError, match=r"\(A1 at ttyACM0, B2 at ttyACM1\): name one by SERIAL="):
        find_attached(NUCLEO)
    assert find_attached(NUCLEO, "B2").url == "ttyACM1"


def test_a_port_is_known_by_its_links_too(plug, tmp_path):
    for name in ("ttyACM0", "ttyACM1"):
        (tmp_path / name).touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "ttyACM1")
    plug((tmp_path / "ttyACM0", 0x0483, 0x374B, "A1"), (tmp_path / "ttyACM1", 0x0483, 0x374B, "B2"))
    assert probe_at(NUCLEO, str(tmp_path / "by-id")).serial_number == "B2"
    assert probe_at(NUCLEO, str(tmp_path / "ttyS0")) is None
    assert probe_at(NUCLEO, "socket://127.0.0.1:4000") is None


def test_a_serial_number_that_a_script_would_run_is_none(plug):
    plug(("ttyACM0", 0x0483, 0x374B, "A1; shutdown"), ("ttyACM1", 0x0483, 0x374B, "A\x1b[2J"))
    assert [one.serial_number for one in attached(NUCLEO)] == ["", ""]


def test_the_probe_that_programs_is_that_of_the_port(plug):
    plug(*TWO)
    assert probe_to_program(NUCLEO, "", "ttyACM1") == "B2"
    assert probe_to_program(NUCLEO, "A1", "") == "A1"
    assert probe_to_program(NUCLEO, "A1", "ttyUSB7") == "A1"
    with pytest.raises(LinkError, match="ttyACM1 belongs to the probe B2, not to A1"):
        probe_to_program(NUCLEO, "A1", "ttyACM1")
    for url in ("", "ttyUSB7"):
        with pytest.raises(LinkError, match="2 probes of its kind are attached"):
            probe_to_program(NUCLEO, "", url)
    plug(TWO[0])
    assert probe_to_program(NUCLEO, "", "ttyUSB7") == "A1"
    plug()
    assert probe_to_program(NUCLEO, "", "ttyUSB7") == ""


def test_two_probes_without_numbers_are_not_told_apart(plug):
    plug(("ttyACM0", 0x0483, 0x374B, ""), ("ttyACM1", 0x0483, 0x374B, None))
    with pytest.raises(LinkError, match="has no serial number to tell it from the others"):
        probe_to_program(NUCLEO, "", "ttyACM1")
    plug(("ttyACM1", 0x0483, 0x374B, None))
    assert probe_to_program(NUCLEO, "", "ttyACM1") == ""
