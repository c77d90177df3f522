"""OpenOCD as the eyes of the bench: the real program on a simulated debug port, and one of its name
that fails.
"""

import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chips.debug_port import Core, DebugPort
from tests.support.chips.register_dumps import F746_WORDS
from tinyrobust.core.errors import LinkError
from tinyrobust.host.boards.bringup import openocd
from tinyrobust.host.boards.bringup.chips import F746
from tinyrobust.host.boards.bringup.examine import examine
from tinyrobust.host.boards.bringup.openocd import MARK, parse, read, script
from tinyrobust.host.boards.bringup.reading import DEMCR, DHCSR, registers
from tinyrobust.host.boards.bringup.verdict import judge
from tinyrobust.host.boards.table import get_board

NUCLEO = get_board("nucleo_f746")
SAID = f"""Open On-Chip Debugger 0.12.0
Info : Target voltage: 3.253968
{MARK} before 0xe000edf0: 00010001
{MARK} word 0x40023800: 03036f83 00000002
{MARK} stop pc (/32): 0x08000100
{MARK} stop xPSR (/32): 0x61000000
[stm32f7x.cpu] halted due to breakpoint, current mode: Handler HardFault
{MARK} after 0xe000edf0: 00030001
{MARK} caught pc (/32): 0x08000110
{MARK} caught xPSR (/32): 0x61000003
{MARK} frame 0x2004ff80: 00000000 00000001 00000002 00000003 00000004 00000005 08000a10 61000000
"""


def test_what_openocd_prints_is_read():
    said = parse(SAID)
    assert said.words == {0x40023800: 0x03036F83, 0x40023804: 2}
    assert [(stop.pc, stop.xpsr) for stop in said.stops] == [(0x08000100, 0x61000000)]
    assert (said.volts, said.restarted, said.before) == (3.253968, False, 0x10001)
    assert said.caught.pc == 0x08000110
    assert said.frame[6] == 0x08000A10


def test_a_core_that_ran_on_has_no_fault_even_where_it_is_stopped_in_a_handler():
    assert parse(SAID.replace("00030001", "00010001")).caught is None
    assert parse(SAID.replace("0x61000003", "0x61000000")).caught is None


PIECES = st.sampled_from(["\n", " ", ":", "0x40023800", "00000001", *SAID.splitlines(True)])


@settings(max_examples=50)
@given(st.lists(PIECES | st.text(max_size=5), max_size=20))
def test_no_output_is_too_odd(pieces):
    said = parse("".join(pieces))
    assert all(
        0 <= value < 2**32 for value in (*said.words.values(), *said.frame, said.before, said.after)
    )
    assert judge(F746, said).isprintable()


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """Makes the one openocd of this machine: it logs its arguments, says something and ends with a
    status.
    """
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(
        shutil, "which", lambda name: str(tmp_path / name) if (tmp_path / name).exists() else None
    )

    def make(said="", status=0, extra=""):
        (tmp_path / "said").write_text(said)
        program = tmp_path / "openocd"
        log = f'for word; do printf "%s\\n" "$word" >> {tmp_path}/log; done'
        program.write_text(f"#!/bin/sh\n{log}\ncat {tmp_path}/said >&2\n{extra}\nexit {status}\n")
        program.chmod(0o755)
        return tmp_path / "log"

    return make


def test_the_command_line_is_exact(tool):
    log = tool(SAID)
    assert read(NUCLEO, F746, "066B", [0x08000200]).words[0x40023800] == 0x03036F83
    said = log.read_text().splitlines()
    assert said[:4] == ["-f", "board/st_nucleo_f7.cfg", "-c", "adapter serial 066B"]
    assert said[4:] == script([*registers(F746), 0x08000200])
    assert said[4:8] == [
        "-c",
        "gdb_port disabled; tcl_port disabled; telnet_port disabled",
        "-c",
        said[7],
    ]
    assert "look word mdw 0x40023890" in said
    assert "look word mdw 0x8000200" in said
    assert said[-3:] == ["catch {resume}", "-c", "shutdown"]


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("Info : clock speed 2000 kHz\nError: open failed\n", "no probe answers OpenOCD"),
        (
            "Info : Target voltage: 0.005\nError: init mode failed (unable to connect "
            "to the target)\n",
            "the probe does not reach the chip, whose supply is 0.0 V",
        ),
        ("Error: Can't find board/x.cfg\x1b[2J\n", "OpenOCD failed: Can't find board/x.cfg[2J"),
        ("", "OpenOCD failed: it gave no reason"),
        ("x" * 10**6, "it gave no reason"),
    ],
)
def test_why_it_could_not_look_is_one_line(tool, said, complaint):
    tool(said, 1)
    with pytest.raises(LinkError, match=complaint.replace("[", r"\[").replace("(", r"\(")) as error:
        read(NUCLEO, F746, "")
    assert len(str(error.value)) < 300


def test_one_that_hangs_is_ended(tool, monkeypatch):
    tool(extra="exec sleep 60")
    monkeypatch.setattr(openocd, "SECONDS", 0.2)
    with pytest.raises(LinkError, match="did not end within 0 s: press the board's reset button"):
        read(NUCLEO, F746, "")


def test_without_openocd(tool):
    with pytest.raises(LinkError, match="OpenOCD is not on this machine: apt-get install openocd"):
        read(NUCLEO, F746, "")


def test_a_board_of_another_chip_cannot_be_looked_at(tmp_path):
    with pytest.raises(LinkError, match="chip are not known"):
        examine(replace(NUCLEO, name="odd"), "", tmp_path / "none.elf")


@pytest.mark.skipif(shutil.which("openocd") is None, reason="openocd is missing")
def test_the_real_one_fails_cleanly_without_a_probe(monkeypatch):
    with pytest.raises(LinkError, match="no probe answers OpenOCD"):
        read(NUCLEO, F746, "000000000000000000000000")


@pytest.fixture
def attached(tmp_path):
    """Reads a simulated core with the real OpenOCD."""
    if shutil.which("openocd") is None:
        pytest.skip("openocd is missing")

    def look(core, elf=tmp_path / "none.elf"):
        with DebugPort(core) as port:
            configuration = tmp_path / "port.cfg"
            configuration.write_text(port.configuration)
            return examine(replace(NUCLEO, openocd=str(configuration)), "", elf)

    return look


def test_the_real_one_reads_a_chip_that_is_right_and_lets_it_run_on(attached):
    core = Core(F746_WORDS, pcs=[0x08000400, 0x08000410, 0x08000420])
    finding = attached(core)
    assert finding.verdict.startswith(
        "the chip looks right: the core runs at 216 MHz, last seen in 0x08000420"
    )
    assert ("USART3 rate", "115,200 baud") in finding.facts
    stops = [value for what, value in finding.facts if what == "stopped at"]
    assert stops == ["0x08000400", "0x08000410", "0x08000420"]
    assert not core.halted
    assert core.memory[DEMCR] == 1 << 24
    allowed = {DHCSR, DEMCR, 0xE000EDF4, 0xE000ED30, 0xE0042004, 0xE0042008}
    assert {
        address for address, _ in core.writes
    } <= allowed  # debug registers, and what target/stm32f7x.cfg sets


@pytest.mark.slow
def test_the_real_one_sees_what_is_wrong(attached):
    assert "USART3 runs at 28,800 baud" in attached(Core({**F746_WORDS, 0x40023890: 0})).verdict
    assert "restarts over and over" in attached(Core(F746_WORDS, restarts=True)).verdict
    stack = {
        0x2004FF80 + 4 * i: value
        for i, value in enumerate((0, 0, 0, 0, 0, 0x08000321, 0x08000A10, 0x61000000))
    }
    status = {0xE000ED28: 1 << 9 | 1 << 15, 0xE000ED38: 0x40029000}
    core = Core({**F746_WORDS, **stack, **status}, faults_at=0x08000500)
    assert (
        "HardFault in 0x08000a10 (a bus error on the address 0x40029000)" in attached(core).verdict
    )
    assert not core.halted


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc is missing"
)
def test_functions_are_named_where_the_chip_holds_the_image(attached, tmp_path):
    source, elf, layout = tmp_path / "a.c", tmp_path / "a.elf", tmp_path / "a.ld"
    source.write_text("void stuck_here(void) { for (;;) {} }\n")
    note = "__build_id = .; KEEP(*(.note.gnu.build-id))"
    layout.write_text(
        f"SECTIONS {{ . = 0x08000400; .text : {{ *(.text*) }} .note : {{ {note} }} }}\n"
    )
    flags = [
        "-mcpu=cortex-m7",
        "-g",
        "-nostdlib",
        "-Wl,-e,0",
        f"-Wl,-T,{layout}",
        "-Wl,--build-id=0x" + "5a" * 20,
    ]
    subprocess.run(["arm-none-eabi-gcc", *flags, str(source), "-o", str(elf)], check=True)
    listing = subprocess.run(
        ["arm-none-eabi-nm", str(elf)], capture_output=True, text=True, check=True
    ).stdout
    at = int(
        next(line.split()[0] for line in listing.splitlines() if line.endswith(" __build_id")), 16
    )
    held = {at + 4 * i: 0x5A5A5A5A for i in range(4, 9)}
    assert (
        "last seen in stuck_here (0x08000400)"
        in attached(Core({**F746_WORDS, **held}, [0x08000400]), elf).verdict
    )
    assert "last seen in 0x08000400" in attached(Core(F746_WORDS, [0x08000400]), elf).verdict
