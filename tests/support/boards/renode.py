"""A stand-in for Renode: refuses what 1.15.3 and 1.16.1 refuse, then serves our own firmware.

``renode.py FIRMWARE`` followed by Renode's arguments. As Renode it prints what it refuses on
stdout, goes on without a machine, and quits with status 0 at the end of its stdin.
"""

import os
import re
import shlex
import socket
import subprocess
import sys
import threading
from pathlib import Path

GPIOS = {
    "UART.STM32F7_USART": ["IRQ", "ReceiveDmaRequest"],
    "Timers.STM32F4_RTC": ["AlarmIRQ", "WakeupIRQ"],
    "IRQControllers.NVIC": ["IRQ"],
}
"""The properties of type GPIO of Renode's models, none of which is marked as the default one."""
MODELS = {
    *GPIOS,
    "CPU.CortexM",
    "GPIOPort.STM32_GPIOPort",
    "Memory.ArrayMemory",
    "Memory.MappedMemory",
    "Miscellaneous.DWT",
    "Miscellaneous.STM32F4_RCC",
    "Python.PythonPeripheral",
}
PAGE = 0x400
"""Of a Cortex-M in Renode: what is mapped into its address space comes in whole ones."""
SIZE = r"    size: (0x[0-9A-Fa-f]+)"
COMMANDS = [
    r'mach create "\w+"',
    r"machine LoadPlatformDescription @?(?P<platform>\S+)",
    r"sysbus LoadELF @?(?P<elf>\S+)",
    r'emulation SetGlobalQuantum "\d+\.\d+"',
    r'emulation CreateServerSocketTerminal (?P<port>\d+) "(?P<line>\w+)" (true|false)',
    r"connector Connect sysbus\.(?P<uart>\w+) (?P<end>\w+)",
    r"start",
]


class RefusedError(Exception):
    """What Renode prints below the command that failed."""


def parsing_error(number: int, why: str, path: Path, at: int, line: str) -> RefusedError:
    """An error of a platform description, as Renode words it."""
    return RefusedError(f"Error E{number:02d}: {why}\nAt {path}:{at}:5:\n{line}\n    ^")


def load_platform(path: Path) -> set[str]:
    """The names of a platform's peripherals. Raises RefusedError where Renode does."""
    kind = name = ""
    address = 0
    names = set()
    for at, line in enumerate(path.read_text().splitlines(), 1):
        if entry := re.match(r"(\w+): ([\w.]+) @ sysbus ?<?(0x[0-9A-Fa-f]+)?", line):
            name, kind, address = entry[1], entry[2], int(entry[3] or "0", 16)
            names.add(name)
            if kind not in MODELS:
                raise parsing_error(4, f"Could not resolve type: '{kind}'.", path, at, line)
        elif irq := re.match(r"    (\w*) ?-> (\w+)@\d+$", line):
            gpios = GPIOS.get(kind, [])
            if not irq[1] and len(gpios) > 1:
                known = "There are the following properties of GPIO type available"
                why = f"Ambiguous choice of default interrupt.\n{known}: [{', '.join(gpios)}]."
                raise parsing_error(15, why, path, at, line)
            if irq[1] and irq[1] not in gpios:
                why = f"Property '{irq[1]}' does not exist in '{kind}'."
                raise parsing_error(13, why, path, at, line)
        elif kind == "Memory.MappedMemory" and (size := re.match(SIZE, line)):
            for what, value in (("offset", address), ("size", int(size[1], 16))):
                if value % PAGE:
                    why = f"Memory {what} has to be aligned to guest page size."
                    where = f"Exception was thrown during registration of '{name}' in 'sysbus':"
                    raise parsing_error(39, f"{where}\n{why}", path, at, line)
    return names


def start(commands: str, firmware: str) -> None:
    """Does what ``-e`` asks for. Raises RefusedError."""
    given = re.fullmatch(r"\$elf=@(\S+); \$port=(\d+); include @(\S+)", commands)
    if given is None:
        raise RefusedError(f"No such command or device: {commands}")
    elf, port, script = given.groups()
    variables = {"$elf": elf, "$port": port, "$ORIGIN": os.path.dirname(script)}  # noqa: PTH120
    done: dict[str, str] = {}
    names: set[str] = set()
    for line in Path(script).read_text().splitlines():
        if not line or line.startswith("#") or "?=" in line:
            continue
        for variable, value in variables.items():
            line = line.replace(variable, value)
        command = next(filter(None, (re.fullmatch(pattern, line) for pattern in COMMANDS)), None)
        if command is None:
            raise RefusedError(f"No such command or device: {shlex.split(line)[0]}")
        done |= command.groupdict()
        if platform := command.groupdict().get("platform"):
            names = load_platform(Path(platform))
    if Path(done["elf"]).read_bytes()[:4] != b"\x7fELF":
        raise RefusedError("The file is not an ELF")
    if done["uart"] not in names or done["end"] != done["line"]:
        raise RefusedError(f"Could not find {done['uart']}")
    # Renode listens on every interface; a test need not.
    with socket.create_server(("127.0.0.1", int(done["port"]))) as listener:
        line = listener.accept()[0]
    subprocess.run([firmware], stdin=line, stdout=line, check=False)


def main() -> None:
    """See the module."""
    firmware, *options, commands = sys.argv[1:]
    if options != ["--disable-xwt", "--console", "--plain", "-e"]:
        sys.exit(f"unknown options: {options}")

    def quit_at_the_end() -> None:
        while sys.stdin.buffer.read1():
            pass
        os._exit(0)

    threading.Thread(target=quit_at_the_end).start()
    print(f"Renode, version 1.15.3\n\n(monitor) {commands}", flush=True)
    try:
        start(commands, firmware)
    except RefusedError as refused:
        print(f"There was an error executing command 'include'\n{refused}", flush=True)


if __name__ == "__main__":
    main()
