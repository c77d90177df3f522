"""Builds a board's firmware and writes it to the board: PlatformIO as a subprocess, ``make`` for the host build."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from host.boards import Board, PortKind
from host.environment import BOARD_STEPS, NATIVE_STEPS, Step
from host.tools import ARM, NATIVE, PROBE, checkout, missing, tools
from host.types import LinkError, UsageError

NATIVE_IMAGE = Path("build/native/tinyrobust_fw")
TELLING = (r"region .* overflowed by", r"is left for plan", r"[Ee]rror:", r"undefined reference")
"""What to look for in a failed build's output, the most telling first."""
PROBE_GONE = re.compile(r"open failed|no device found|unable to open|init mode failed|LIBUSB_ERROR_ACCESS", re.I)


@dataclass(frozen=True)
class Firmware:
    """A built image. Sizes in bytes, 0 for ``native``: flash is what is programmed, RAM what is taken at link time."""

    elf: Path
    flash_bytes: int
    ram_bytes: int


def build(board: Board, plan: Path | None = None) -> Firmware:
    """The firmware of ``board``, with the C file ``plan`` linked in as its built-in plan where one is given.

    Raises UsageError on a missing tool and on firmware that does not compile or does not fit the board.
    """
    native = board.port is PortKind.CHILD
    root = checkout()
    _require(NATIVE_STEPS if native else BOARD_STEPS, [NATIVE] if native else [ARM], root)
    if native:
        if plan is not None:
            raise UsageError("native takes its plans at run time: it has no flash to link one into")
        _run(["make", "-C", "firmware", f"-j{os.cpu_count() or 1}", "native"], os.environ, f"building {board.name}")
        return Firmware(root / NATIVE_IMAGE, 0, 0)
    _platformio(board, [], f"building {board.name}", plan)
    elf = root / ".pio" / "build" / board.env / "firmware.elf"
    return Firmware(elf, *sizes(elf))


def upload(board: Board, plan: Path | None = None) -> Firmware:
    """Builds, then programs the attached board and verifies it. Raises LinkError where no probe answers."""
    if board.emulated:
        raise UsageError(f"{board.name} is not a real board: there is nothing to flash, `make bench` starts it")
    firmware = build(board, plan)
    _require((), [PROBE], checkout())
    try:
        _platformio(board, ["-t", "upload"], f"flashing {board.name}", plan)
    except UsageError as err:
        if PROBE_GONE.search(str(err)):
            usb = ", ".join(board.usb_ids)
            raise LinkError(f"flashing {board.name}: no debug probe ({usb}) answers: plug the board in") from None
        raise LinkError(str(err)) from None
    return firmware


def sizes(elf: Path) -> tuple[int, int]:
    """Flash (text, constants and the image of .data) and static RAM (stack, .data, .bss) of an ELF, in bytes."""
    run = subprocess.run(["arm-none-eabi-size", "-B", "-d", str(elf)], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise UsageError(f"{elf}: {run.stderr.strip() or 'arm-none-eabi-size failed'}")
    text, data, bss = (int(word) for word in run.stdout.splitlines()[1].split()[:3])
    return text + data, data + bss


def platformio_environment(plan: Path | None) -> dict[str, str]:
    """The environment that keeps PlatformIO inside the checkout and off the network."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PLATFORMIO_")}
    kept.pop("TINYROBUST_PLAN_CC", None)
    return {
        **kept,
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        **({"TINYROBUST_PLAN_CC": str(plan.resolve())} if plan else {}),
    }


def _platformio(board: Board, options: Sequence[str], what: str, plan: Path | None) -> None:
    argv = [".pio-venv/bin/pio", "run", "--silent", "-e", board.env, *options]
    _run(argv, platformio_environment(plan), what)


def _require(steps: Sequence[Step], groups: Sequence[str], root: Path) -> None:
    stale = [step.name for step in steps if not step.up_to_date(root)]
    if stale:
        raise UsageError(f"{', '.join(stale)} not set up, or not since its lock file changed: run `make setup`")
    if packages := missing(tools(groups)):
        raise UsageError(f"missing on this machine: apt-get install {' '.join(packages)}")


def _run(argv: Sequence[str], environment: Mapping[str, str], what: str) -> None:
    root = checkout()
    with _alone(root):
        done = subprocess.run(argv, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UsageError(f"{what} failed: {_reason(done.stderr + done.stdout)}")


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for pattern in TELLING:
        for line in lines:
            if re.search(pattern, line):
                return line[-300:]
    return (lines or ["it said nothing"])[-1][:300]


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """One build at a time: parallel runs of one checkout share its build folders."""
    with (root / ".setup-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
