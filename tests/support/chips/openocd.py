"""A program called openocd that says what the real one would of a chip (as
tests/unit/host/boards/bringup/test_openocd.py sees).
"""

from tinyrobust.host.boards.bringup.openocd import MARK


def install(folder, words, status=0):
    """Puts it into ``folder``, which has to be on the path.

    It logs how it was called in ``folder/openocd.log``.
    """
    lines = [
        "Open On-Chip Debugger 0.12.0",
        "Info : Target voltage: 3.253968",
        f"{MARK} before 0xe000edf0: 00010001 ",
    ]
    lines += [f"{MARK} word {address:#010x}: {value:08x} " for address, value in words.items()]
    lines += [f"{MARK} stop pc (/32): 0x08000400", f"{MARK} stop xPSR (/32): 0x61000000"]
    lines += [f"{MARK} after 0xe000edf0: 00010001 ", "shutdown command invoked"]
    (folder / "openocd.said").write_text("\n".join(lines) + "\n")
    program = folder / "openocd"
    log = f'printf "%s " "$@" >> {folder}/openocd.log'
    program.write_text(f"#!/bin/sh\n{log}\ncat {folder}/openocd.said >&2\nexit {status}\n")
    program.chmod(0o755)
