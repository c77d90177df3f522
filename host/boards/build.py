"""Builds a board's firmware: PlatformIO as a subprocess, ``make`` for the host build."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyrobust.core.errors import UsageError
from tinyrobust.core.files import CACHE_REMEDY, replacing
from tinyrobust.host.boards import tflm_library
from tinyrobust.host.boards.bringup.symbols import build_id
from tinyrobust.host.boards.table import Board, PortKind
from tinyrobust.host.boards.unfinished import drop_broken, started_over
from tinyrobust.host.config.parts import CMSIS_NN, TFLM, TINYROBUST, Parts
from tinyrobust.host.setup.alone import alone
from tinyrobust.host.setup.environment import BOARD_STEPS, NATIVE_STEPS, Step
from tinyrobust.host.setup.guard import guarded
from tinyrobust.host.setup.tools import ARM, NATIVE, checkout, missing, tools

NATIVE_IMAGE = Path("native/tinyrobust_fw")
USUAL = Parts()
UNREACHED = re.compile(r"HTTPClientError|InternetConnectionError|UnknownPackageError")
TELLING = (r"region .* overflowed by", r"is left for plan", r"[Ee]rror:", r"undefined reference")
"""What to look for in a failed build's output, the most telling first."""


@dataclass(frozen=True)
class Firmware:
    """A built image.

    Sizes in bytes, 0 for ``native``: flash is what is programmed, RAM what is taken at link time.
    """

    elf: Path
    flash_bytes: int
    ram_bytes: int


def build(board: Board, parts: Parts = USUAL) -> Firmware:
    """The firmware of ``board``, made of ``parts``.

    An image with a network linked in is kept beside that network's sources: the next build does not
    overwrite it. Raises UsageError on what ``prepare`` misses and on firmware that does not compile
    or does not fit the board.
    """
    native = board.port is PortKind.CHILD
    root = checkout()
    prepare(board, parts)
    if native and parts.sources and (parts.protocol, parts.engine) == (TINYROBUST, CMSIS_NN):
        raise UsageError("native takes its plans at run time: it has no flash to link one into")
    with alone(root) as lock:
        elf = (_make if native else _platformio)(board, parts, root, lock)
        if parts.sources:
            kept = parts.sources[0].with_name(f"{board.name}-{parts.variant or 'firmware'}.elf")
            with replacing(kept, CACHE_REMEDY) as file:
                file.write(elf.read_bytes())
            kept.chmod(elf.stat().st_mode)
            elf = kept
    return Firmware(elf, *((0, 0) if native else sizes(elf)))


def prepare(board: Board, parts: Parts) -> None:
    """Raises UsageError where what ``build`` takes is missing: set-up, a tool, a library.

    Seconds at most.
    """
    native = board.port is PortKind.CHILD
    _require(NATIVE_STEPS if native else BOARD_STEPS, [NATIVE] if native else [ARM], checkout())
    if parts.engine == TFLM:
        tflm_library.require(board, checkout())


def static_sizes(board: Board, image: bytes) -> tuple[int, int] | None:
    """``sizes`` of the image with build id ``image``, where this checkout built it last."""
    elf = newest_image(board)
    if not elf.is_file():
        return None
    try:
        return sizes(elf) if build_id(elf) == image else None
    except UsageError:
        return None


def sizes(elf: Path) -> tuple[int, int]:
    """Flash and static RAM of an ELF, in bytes.

    Flash is text, constants and the image of .data; RAM is stack, .data and .bss.
    """
    run = subprocess.run(
        ["arm-none-eabi-size", "-B", "-d", str(elf)], capture_output=True, text=True, check=False
    )
    if run.returncode != 0:
        raise UsageError(f"{elf}: {run.stderr.strip() or 'arm-none-eabi-size failed'}")
    text, data, bss = (int(word) for word in run.stdout.splitlines()[1].split()[:3])
    return text + data, data + bss


def newest_image(board: Board, parts: Parts = USUAL) -> Path:
    """Where the image of ``board`` lies that this checkout built last; there may be none."""
    return build_folder(checkout(), parts) / board.env / "firmware.elf"


def build_folder(root: Path, parts: Parts) -> Path:
    """Where PlatformIO builds images of ``parts``."""
    return root / ".pio" / "-".join(filter(None, ("build", parts.variant)))


def platformio_environment(parts: Parts, root: Path) -> dict[str, str]:
    """The environment that keeps PlatformIO in the checkout and off the network.

    It also names the parts to build.
    """
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PLATFORMIO_", "TINYROBUST_"))
    }
    return {
        **kept,
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_BUILD_DIR": str(build_folder(root, parts)),
        "TINYROBUST_PROTOCOL": parts.protocol,
        "TINYROBUST_ENGINE": parts.engine,
        **tflm_library.settings(parts),
        "TINYROBUST_SOURCES": os.pathsep.join(str(source.resolve()) for source in parts.sources),
    }


def _make(board: Board, parts: Parts, root: Path, lock: int) -> Path:
    out = root / "build" / parts.variant
    builtin = [f"BUILTIN={source.resolve()}" for source in parts.sources[:1]]
    if parts.engine == TFLM:
        tflm = tflm_library.settings(parts)
        builtin += [
            f"TFLM_DIR={tflm['TINYROBUST_TFLM_DIR']}",
            f"TFLM_NAME={tflm['TINYROBUST_TFLM_NAME']}",
        ]
        builtin += [f"MODEL={parts.sources[0].resolve().parent}", "ENGINE=tflm"]
    # As firmware/Makefile spells it: what was compiled from which headers is on record under these
    # names.
    where = f"OUT=../build/{parts.variant}".rstrip("/")
    argv = [
        "make",
        "-C",
        "firmware",
        f"-j{os.cpu_count() or 1}",
        "native",
        where,
        f"PROTOCOL={parts.protocol}",
    ]
    _run([*argv, *builtin], os.environ, f"building {board.name}", lock)
    return out / NATIVE_IMAGE


def _platformio(board: Board, parts: Parts, root: Path, lock: int) -> Path:
    folder = build_folder(root, parts) / board.env
    drop_broken(root / ".pio" / "cache")
    with started_over(folder, root / ".pio" / "unfinished"):
        argv = [".pio-venv/bin/pio", "run", "--silent", "-e", board.env]
        _run(argv, platformio_environment(parts, root), f"building {board.name}", lock)
    return folder / "firmware.elf"


def _require(steps: Sequence[Step], groups: Sequence[str], root: Path) -> None:
    stale = [step.name for step in steps if not step.up_to_date(root)]
    if stale:
        raise UsageError(
            f"{', '.join(stale)} not set up, or not since its lock file changed: run `make setup`"
        )
    if packages := missing(tools(groups)):
        raise UsageError(f"missing on this machine: apt-get install {' '.join(packages)}")


def _run(argv: Sequence[str], environment: Mapping[str, str], what: str, lock: int) -> None:
    with guarded(argv, checkout(), [lock], environment) as process:
        output, errors = process.communicate()
    if process.returncode != 0:
        raise UsageError(f"{what} failed: {_reason(errors + output)}")


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if UNREACHED.search(output):
        return tflm_library.UNREACHED
    for pattern in TELLING:
        for line in lines:
            if re.search(pattern, line):
                return line[-300:]
    return (lines or ["it said nothing"])[-1][:300]
