"""An image's symbols and build id, read by the toolchain's own programs."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyrobust.core.errors import UsageError

SECONDS = 10.0
NOTE_WORDS = 9
"""The ELF note of a build id: name size, descriptor size, type, "GNU", then five words of
descriptor.
"""
BUILD_ID = re.compile(r"^([0-9a-fA-F]{8}) \w __build_id$", re.M)
MOST_NAME = 80


@dataclass(frozen=True)
class Image:
    """An ELF that the chip may hold.

    Where the toolchain is missing it knows nothing, and says so.
    """

    elf: Path

    def build_id_words(self) -> tuple[int, ...]:
        """Addresses of the image's build id in flash, empty where it cannot be told."""
        found = BUILD_ID.search(_said(["arm-none-eabi-nm", str(self.elf)]))
        at = int(found[1], 16) if found else None
        return () if at is None else tuple(at + 4 * i for i in range(4, NOTE_WORDS))

    def function(self, pc: int) -> str:
        """The function at ``pc`` and its address; the address alone where no symbol is known."""
        said = _said(
            ["arm-none-eabi-addr2line", "-f", "-C", "-e", str(self.elf), f"{pc:#x}"]
        ).splitlines()
        name = "".join(c for c in said[0] if c.isprintable())[:MOST_NAME] if said else "??"
        return plain(pc) if name.startswith("??") else f"{name} ({plain(pc)})"


def build_id(elf: Path) -> bytes:
    """GNU build id of an image, 20 bytes. Raises UsageError where it has none."""
    argv = ["arm-none-eabi-readelf", "--notes", str(elf)]
    said = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
    found = re.search(r"Build ID: ([0-9a-f]{40})$", said, re.M)
    if found is None:
        raise UsageError(f"{elf}: no build id in it: it was not built by this checkout")
    return bytes.fromhex(found[1])


def plain(pc: int) -> str:
    """A code address without a symbol."""
    return f"0x{pc:08x}"


def _said(argv: Sequence[str]) -> str:
    """What a program printed; nothing where it is missing, fails or does not end."""
    if shutil.which(argv[0]) is None:
        return ""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout if done.returncode == 0 else ""
