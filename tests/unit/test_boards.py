from pathlib import Path
from types import SimpleNamespace

import pytest

from host import boards
from host.boards import EmulatorKind, PortKind, attached, find_attached, get_board, load_boards, parse_board
from host.types import LinkError, UsageError
from host.wire import FIRST_BAUD

ROW = {"port": "serial", "tick_unit": "CPU_CYCLES", "cpu": "cortex-m7", "emulated": False}
ROOT = Path(__file__).resolve().parents[2]


def test_every_row_has_what_its_port_needs():
    for board in load_boards().values():
        assert bool(board.machine) == (board.port in (PortKind.FIFO, PortKind.TCP)), board
        assert bool(board.machine) == (board.emulator is not EmulatorKind.NONE), board
        assert (board.baud > FIRST_BAUD) == (board.port is PortKind.SERIAL), board
        assert bool(board.usb_ids) == (not board.emulated), board
        assert bool(board.env) == (board.port is not PortKind.CHILD), board


def test_every_environment_is_in_platformio_ini():
    text = (ROOT / "platformio.ini").read_text()
    for board in load_boards().values():
        assert not board.env or f"[env:{board.env}]\n" in text


def test_unknown_board_names_the_known_ones():
    with pytest.raises(UsageError, match=r"did you mean 'qemu_an500'.*qemu_an386"):
        get_board("qemu_an50")


def test_an_emulator_runs_the_very_image_of_a_board():
    assert get_board("disco_l475", "qemu") is get_board("qemu_l475")
    assert get_board("qemu_l475", "qemu") is get_board("qemu_l475")
    assert get_board("nucleo_f746", "renode").name == "renode_f746"
    with pytest.raises(UsageError, match="disco_l475 is not emulated by 'renode': qemu runs its image"):
        get_board("disco_l475", "renode")
    with pytest.raises(UsageError, match="nucleo_h743zi is not emulated by 'qemu': no emulator runs"):
        get_board("nucleo_h743zi", "qemu")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"bauds": 1}, "unknown key 'bauds'"),
        ({"baud": "fast"}, "is not a int"),
        ({"baud": True}, "is not a int"),
        ({"port": "usb"}, "'usb' is not a valid PortKind"),
        ({"tick_unit": "SECONDS"}, "SECONDS"),
        ({"usb_ids": ["ST-LINK"]}, "0483:374b"),
        ({"usb_ids": [7]}, "0483:374b"),
    ],
)
def test_a_bad_row_is_refused(change, complaint):
    with pytest.raises(UsageError, match=complaint):
        parse_board("odd", {**ROW, **change})


def test_a_missing_key_is_named():
    with pytest.raises(UsageError, match="tick_unit, cpu, emulated missing"):
        parse_board("odd", {"port": "serial"})


@pytest.fixture
def plug(monkeypatch):
    """Plugs in serial ports: (device, vid, pid, serial number)."""

    def plugged(*rows):
        ports = [SimpleNamespace(device=d, vid=v, pid=p, serial_number=s) for d, v, p, s in rows]
        monkeypatch.setattr(boards.list_ports, "comports", lambda: ports)

    return plugged


def test_a_board_is_found_by_its_usb_id(plug):
    plug(("ttyS0", None, None, None), ("ttyUSB0", 0x0403, 0x6001, "F"), ("ttyACM0", 0x0483, 0x374B, "A1"))
    assert find_attached(get_board("nucleo_f746")).url == "ttyACM0"
    assert attached(get_board("qemu_an500")) == []


def test_none_and_several_are_errors_that_say_what_to_do(plug):
    board = get_board("nucleo_f746")
    plug()
    with pytest.raises(LinkError, match=r"0483:374b.*plug the board in"):
        find_attached(board)
    plug(("ttyACM0", 0x0483, 0x374B, "A1"), ("ttyACM1", 0x0483, 0x374B, "B2"))
    with pytest.raises(LinkError, match=r"\(A1 at ttyACM0, B2 at ttyACM1\): name one by SERIAL="):
        find_attached(board)
    assert find_attached(board, "B2").url == "ttyACM1"
