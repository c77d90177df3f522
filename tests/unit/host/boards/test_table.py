import pytest

from tests.support.paths import ROOT
from tinyrobust.core.abi.wire import FIRST_BAUD
from tinyrobust.core.errors import UsageError
from tinyrobust.host.boards.table import (
    EmulatorKind,
    PortKind,
    get_board,
    load_boards,
    parse_board,
    parse_probes,
)

ROW = {"port": "serial", "tick_unit": "CPU_CYCLES", "cpu": "cortex-m7", "emulated": False}


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
    with pytest.raises(
        UsageError, match="disco_l475 is not emulated by 'renode': qemu runs its image"
    ):
        get_board("disco_l475", "renode")
    with pytest.raises(
        UsageError, match="nucleo_h743zi is not emulated by 'qemu': no emulator runs"
    ):
        get_board("nucleo_h743zi", "qemu")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"bauds": 1}, "unknown key 'bauds'"),
        ({"baud": "fast"}, "is not a int"),
        ({"baud": True}, "is not a int"),
        ({"port": "usb"}, "'usb' is not a valid PortKind"),
        ({"tick_unit": "SECONDS"}, "SECONDS"),
        ({"probe": "j-link"}, "unknown probe 'j-link': known are st-link"),
        ({"usb_ids": []}, "unknown key 'usb_ids'"),
    ],
)
def test_a_bad_row_is_refused(change, complaint):
    with pytest.raises(UsageError, match=complaint):
        parse_board("odd", {**ROW, **change}, {"st-link": ()})


@pytest.mark.parametrize("ids", ["0483:374b", ["ST-LINK"], [7], ["0483:374B"]])
def test_a_bad_probe_is_refused(ids):
    with pytest.raises(
        UsageError, match=r"st-link = .* is not a list of ids of the form '0483:374b'"
    ):
        parse_probes({"st-link": ids})


def test_a_missing_key_is_named():
    with pytest.raises(UsageError, match="tick_unit, cpu, emulated missing"):
        parse_board("odd", {"port": "serial"}, {"st-link": ()})
