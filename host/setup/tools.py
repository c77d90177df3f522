"""The programs the bench calls: which Debian package brings each, and what for.

Standard library only.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Tool:
    """A program or a file of the system. ``groups`` name the work that needs it."""

    name: str
    package: str
    """Debian package; empty where Debian has none."""
    needed_for: str
    groups: frozenset[str]
    version: tuple[str, ...] = ("--version",)
    probe: str = ""
    """A command line that fails where the tool is there but a part of it is not."""
    instead: tuple[str, ...] = ()
    """Programs that do as well."""
    backports: bool = False
    """Debian's backports have it where the release itself does not."""
    elsewhere: str = ""
    """Where to get what Debian does not have."""

    @property
    def remedy(self) -> str:
        """What to do where it is missing."""
        if not self.package:
            return self.elsewhere
        suite = f"-t {codename()}-backports " if self.backports else ""
        return f"apt-get install {suite}{self.package}"


def codename() -> str:
    """This release's name, such as ``bookworm``."""
    try:
        return platform.freedesktop_os_release().get("VERSION_CODENAME", "stable")
    except OSError:
        return "stable"


NATIVE, ARM, STM32, PROBE, RENODE = "native", "arm", "stm32", "probe", "renode"

TOOLS = (
    Tool("make", "make", "building the native firmware", frozenset({NATIVE, ARM})),
    Tool("g++", "g++", "building the native firmware", frozenset({NATIVE})),
    Tool("arm-none-eabi-gcc", "gcc-arm-none-eabi", "building firmware", frozenset({ARM})),
    Tool(
        "newlib",
        "libnewlib-arm-none-eabi",
        "building firmware: C library",
        frozenset({ARM}),
        probe="arm-none-eabi-gcc --specs=nano.specs -mcpu=cortex-m7 -E "
        "-include string.h -xc /dev/null",
    ),
    Tool(
        "libstdc++",
        "libstdc++-arm-none-eabi-newlib",
        "building firmware: C++ headers and library",
        frozenset({ARM}),
        probe="arm-none-eabi-g++ -mcpu=cortex-m7 -nostartfiles "
        "-include cstring -xc++ /dev/null -o /dev/null",
    ),
    Tool("qemu-system-arm", "qemu-system-arm", "emulated boards", frozenset({ARM})),
    Tool(
        "QEMU 9.1 or newer",
        "qemu-system-arm",
        "an emulated STM32: BOARD=qemu_l475",
        frozenset({STM32}),
        probe="qemu-system-arm -machine b-l475e-iot01a -dump-vmstate /dev/null",
        backports=True,
    ),
    Tool(
        "renode",
        "",
        "EMULATOR=renode",
        frozenset({RENODE}),
        elsewhere="get Renode from its releases page, github.com/renode/renode/releases, "
        "and put renode on the path",
    ),
    Tool(
        "openocd",
        "openocd",
        "flashing real boards; why one is mute",
        frozenset({PROBE}),
        instead=("st-flash", "pyocd"),
    ),
)


def tools(groups: Iterable[str]) -> list[Tool]:
    """The tools that any of ``groups`` needs."""
    wanted = set(groups)
    return [tool for tool in TOOLS if tool.groups & wanted]


def found_version(tool: Tool) -> str | None:
    """The tool's version, ``present`` where it has none to tell, None where it is missing."""
    if tool.probe:
        argv = tool.probe.split()
        if shutil.which(argv[0]) is None:
            return None
        done = subprocess.run(argv, capture_output=True, check=False)
        return "present" if done.returncode == 0 else None
    path = next(filter(None, map(shutil.which, (tool.name, *tool.instead))), None)
    if path is None:
        return None
    run = subprocess.run([path, *tool.version], capture_output=True, text=True, check=False)
    match = re.search(r"\d+(\.\d+)+[\w.-]*", run.stdout + run.stderr)
    return match.group() if match else "present"


def missing(wanted: Iterable[Tool]) -> list[str]:
    """Debian packages of those tools that are not there, each once."""
    return list(dict.fromkeys(tool.package for tool in wanted if found_version(tool) is None))


def checkout() -> Path:
    """The folder that holds the checkout this package lives in."""
    return Path(__file__).resolve().parents[2]
