"""OpenOCD as the eyes of the bench: the command line that reads a chip, and what it says.

The output is untrusted: so much of it, so long, and only words of the addresses that were asked
for.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence

from tinyrobust.core.errors import LinkError
from tinyrobust.host.boards.bringup.chips import Chip
from tinyrobust.host.boards.bringup.reading import (
    BFAR,
    CATCH_FAULTS,
    CFSR,
    DEMCR,
    DHCSR,
    S_HALT,
    S_RESET,
    SAMPLES,
    STACKED,
    Reading,
    Stop,
    registers,
)
from tinyrobust.host.boards.programmer import openocd
from tinyrobust.host.boards.table import Board

TRACE = 1 << 24
"""DEMCR.TRCENA alone: what OpenOCD itself sets."""
SECONDS = 15.0
MOST_OUTPUT = 1 << 18
MARK = "tinyrobust:"
"""What begins our own lines: OpenOCD says much else."""
LINE = re.compile(rf"^{MARK} (\w+) ?(.*)$", re.M)
MEMORY = re.compile(r"^(0x[0-9a-fA-F]{8}): ((?:[0-9a-fA-F]{8}(?: |$)){1,8})", re.M)
REGISTER = re.compile(r"^(\w+) \(/32\): (0x[0-9a-fA-F]{8})", re.M)
RESTARTED = "external reset detected"
"""What OpenOCD says where it, not our reading of DHCSR, was the first to see S_RESET_ST."""
VOLTS = re.compile(r"Target voltage: (\d{1,2}\.\d{1,9})")
ERROR = re.compile(r"^Error: (.*)$", re.M)
NO_PROBE = re.compile(r"open failed|no device found|unable to open|LIBUSB_ERROR", re.I)
NO_CHIP = re.compile(
    r"init mode failed|unable to connect to the target|Could not initialize the debug port", re.I
)


def script(words: Sequence[int]) -> list[str]:
    """OpenOCD's options that read ``words`` of a chip and watch its core.

    The core is stopped a few times, a fault is caught, and it runs on.

    A word that cannot be read is left out; the core runs when this ends, whatever it did before.
    """
    # Each command prints lines of its own; what fails says so on a line that means nothing.
    look = f'foreach line [split $said \\n] {{ echo "{MARK} $name $line" }}'
    procedure = f"proc look {{name args}} {{ catch $args said; {look} }}"
    quiet = "gdb_port disabled; tcl_port disabled; telnet_port disabled"
    commands = ["catch {poll}", f"look before mdw {DHCSR:#x}"]
    commands += [f"look word mdw {address:#x}" for address in words]
    for _ in range(SAMPLES):
        commands += [
            "catch {halt 500}",
            "look stop reg pc",
            "look stop reg xPSR",
            "catch {resume}",
            "sleep 20",
        ]
    commands += [
        f"catch {{mww {DEMCR:#x} {CATCH_FAULTS:#x}}}",
        "sleep 200",
        f"look after mdw {DHCSR:#x}",
    ]
    commands += ["catch {poll}", "catch {halt 500}"]
    commands += ["look caught reg pc", "look caught reg xPSR"]
    commands += [f"look word mdw {CFSR:#x}", f"look word mdw {BFAR:#x}"]
    commands += [f"catch {{look frame mdw [lindex [reg sp] 2] {STACKED}}}"]
    commands += [f"catch {{mww {DEMCR:#x} {TRACE:#x}}}", "catch {resume}", "shutdown"]
    return [part for command in (quiet, procedure, "init", *commands) for part in ("-c", command)]


def parse(said: str) -> Reading:
    """What OpenOCD's output states, words that it does not state left out.

    Never raises, whatever the text.
    """
    blocks: dict[str, list[str]] = {}
    for name, rest in LINE.findall(said):
        blocks.setdefault(name, []).append(rest)
    lines = {name: "\n".join(rows) for name, rows in blocks.items()}
    core = {name: _words(lines.get(name, "")) for name in ("before", "after", "frame", "word")}
    after = core["after"].get(DHCSR, 0)
    # It was running; DFSR, which says why it is halted, OpenOCD has cleared by now.
    stopped = _stops(lines.get("caught", "")) if after & S_HALT else ()
    caught = stopped[0] if stopped and stopped[0].fault else None
    volts = VOLTS.search(said)
    return Reading(
        words=core["word"],
        before=core["before"].get(DHCSR, 0),
        after=after,
        restarted=bool(after & S_RESET) or RESTARTED in said,
        stops=_stops(lines.get("stop", "")),
        caught=caught,
        frame=tuple(core["frame"].values())[:STACKED] if caught else (),
        volts=float(volts[1]) if volts else None,
    )


def _words(text: str) -> dict[int, int]:
    out: dict[int, int] = {}
    for address, values in MEMORY.findall(text):
        at = int(address, 16)
        out |= {at + 4 * i: int(value, 16) for i, value in enumerate(values.split())}
    return out


def _stops(text: str) -> tuple[Stop, ...]:
    said = [(name.lower(), int(value, 16)) for name, value in REGISTER.findall(text)]
    pairs = zip(said[::2], said[1::2], strict=False)
    return tuple(
        Stop(pc, xpsr) for (first, pc), (second, xpsr) in pairs if (first, second) == ("pc", "xpsr")
    )


def read(board: Board, chip: Chip, serial_number: str, more: Sequence[int] = ()) -> Reading:
    """Reads ``chip`` and the words at ``more`` through a probe.

    The probe is that of ``serial_number``, or the only one where that is empty.

    Raises LinkError that says why it could not be looked at.
    """
    if shutil.which("openocd") is None:
        raise LinkError("OpenOCD is not on this machine: apt-get install openocd")
    argv = [*openocd(board, serial_number), *script([*registers(chip), *more])]
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise LinkError(
                f"OpenOCD did not end within {SECONDS:.0f} s: press the board's reset button"
            ) from None
        except OSError as err:
            raise LinkError(f"OpenOCD does not start: {err.strerror}") from None
        output.seek(0)
        said = output.read(MOST_OUTPUT).decode("utf-8", "replace")
    if done.returncode != 0:
        raise LinkError(_why(said))
    return parse(said)


def _why(said: str) -> str:
    """Why OpenOCD ended without reading."""
    volts = VOLTS.search(said)
    if NO_PROBE.search(said):
        return "no probe answers OpenOCD: is it plugged in, and may you open it (udev rules)?"
    if NO_CHIP.search(said):
        supply = f", whose supply is {float(volts[1]):.1f} V" if volts else ""
        return (
            f"the probe does not reach the chip{supply}: is it powered, "
            "are the SWD jumpers (CN2) closed?"
        )
    errors = ["".join(c for c in line if c.isprintable()) for line in ERROR.findall(said)]
    return f"OpenOCD failed: {errors[-1][:200] if errors else 'it gave no reason'}"
