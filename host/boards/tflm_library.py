"""Where ``ENGINE=tflm`` takes TensorFlow Lite Micro from: TFLM_DIR or PlatformIO's registry."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tinyrobust.core.errors import UsageError
from tinyrobust.host.boards.table import Board, PortKind
from tinyrobust.host.config.parts import TFLM, Parts

LIBRARY = "spaziochirale/Chirale_TensorFLowLite@2.0.0"
"""TensorFlow Lite Micro as PlatformIO's registry has it.

Older than a scale for each dense channel.
"""
PER_CHANNEL = b"is_per_channel"
"""What the fully connected kernel's sources call it where TensorFlow Lite Micro takes a scale for
each channel.
"""
BIAS_CHECK = b"bias != nullptr"
"""What stands in the sources of convolutions where one without a bias does not make them read
address 0.
"""
KERNELS = Path("tensorflow/lite/micro/kernels")
UNREACHED = (
    f"PlatformIO's registry cannot be reached for {LIBRARY}: set TFLM_DIR to a tree of TensorFlow "
    "Lite Micro (docs/engines.md)"
)
PROBE = """
import requests
from platformio import __registry_mirror_hosts__ as hosts

def answers(host):
    try:
        return bool(requests.head(f"https://api.{host}", timeout=4).status_code)
    except requests.RequestException:
        return False

raise SystemExit(not any(map(answers, hosts)))
"""
"""For PlatformIO's own Python, which knows its registry's hosts: status 0 where one of them says
anything at all.
"""
PROBE_SECONDS = 15
"""Names are resolved without a timeout of their own."""


def settings(parts: Parts) -> dict[str, str]:
    """The environment in which the builder finds the library, and what the board is to call it."""
    tree = os.environ.get("TFLM_DIR", "") if parts.engine == TFLM else ""
    library = LIBRARY if parts.engine == TFLM and not tree else ""
    return {
        "TINYROBUST_TFLM_DIR": str(Path(tree).resolve()) if tree else "",
        "TINYROBUST_LIB_DEPS": library,
        "TINYROBUST_TFLM_NAME": f"TFLM {_name(tree)}"[:31],
    }


def _name(tree: str) -> str:
    return Path(tree).name if tree else LIBRARY.partition("/")[2].replace("@", " ")


def refuse(dense: Sequence[str], unbiased: Sequence[str]) -> None:
    """Raises UsageError where the library cannot run these layers right, and would not say so.

    It runs fully connected layers of several scales (``dense``) with the first of them, and
    convolutions without a bias (``unbiased``) make it read address 0.
    """
    tree = os.environ.get("TFLM_DIR", "")
    for layers, fault, remedy, sound in (
        (
            dense,
            "has a scale for each channel and {} takes the first for all",
            "one scale",
            takes_per_channel,
        ),
        (unbiased, "has no bias and {} reads one all the same", "a bias", takes_no_bias),
    ):
        if layers and not (tree and sound(Path(tree))):
            raise UsageError(
                f"model: {layers[0]} {fault.format(_name(tree))}: take --engine cmsis-nn, set "
                "TFLM_DIR to a newer TensorFlow Lite Micro, "
                f"or convert with {remedy} (docs/engines.md)"
            )


def takes_per_channel(tree: Path) -> bool:
    """Whether fully connected layers of ``tree`` know a scale for each channel.

    Asked of the kernel that is compiled and of what prepares it.

    Told by a name in both sources: the library states no version, and those made of it for Arduino
    have their own.
    """
    kernels = tree / KERNELS
    kernel = _source(kernels / "cmsis_nn", "fully_connected") or _source(kernels, "fully_connected")
    return all(PER_CHANNEL in code for code in (kernel, _source(kernels, "fully_connected_common")))


def takes_no_bias(tree: Path) -> bool:
    """Does what prepares the convolutions of ``tree`` check for a bias before it lets go of it?"""
    return all(
        BIAS_CHECK in _source(tree / KERNELS, f"{name}_common")
        for name in ("conv", "depthwise_conv")
    )


def _source(folder: Path, name: str) -> bytes:
    """The C++ file ``name``, with upstream's suffix or Arduino's; empty where there is none."""
    found: Iterator[Path] = (folder / f"{name}{suffix}" for suffix in (".cc", ".cpp"))
    return next((path.read_bytes() for path in found if path.is_file()), b"")


def require(board: Board, root: Path) -> None:
    """Raises UsageError where ``board`` has no library to be built with, and none can be fetched.

    At once, where PlatformIO would try for more than a minute to reach its registry.
    """
    if os.environ.get("TFLM_DIR"):
        return
    if board.port is PortKind.CHILD:
        raise UsageError(
            f"{board.name} with --engine tflm: set TFLM_DIR to a tree of TensorFlow Lite Micro"
        )
    name = LIBRARY.partition("/")[2].partition("@")[0]
    if (root / ".pio" / "libdeps" / board.env / name).is_dir():
        return
    argv = [str(root / ".pio-venv" / "bin" / "python"), "-c", PROBE]
    try:
        done = subprocess.run(argv, capture_output=True, timeout=PROBE_SECONDS, check=False)
        reached = done.returncode == 0
    except subprocess.TimeoutExpired:
        reached = False
    if not reached:
        raise UsageError(UNREACHED)
