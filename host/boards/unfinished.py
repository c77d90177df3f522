"""Firmware builds that were cut short: what they leave is taken for finished work by nobody."""

from __future__ import annotations

import contextlib
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

ARCHIVE, ARCHIVE_HEADER = b"!<arch>\n", 60
ELF32_SECTIONS = struct.Struct("<32xI10xHH")
"""e_shoff, e_shentsize and e_shnum of a 32-bit ELF header (System V ABI, chapter 4)."""


@contextlib.contextmanager
def started_over(folder: Path, marks: Path) -> Iterator[None]:
    """A build into ``folder``, which is emptied first where the last one was cut short.

    SCons tells what is up to date by a record that it writes when it ends. After a ``kill -9`` the
    folder may hold half an object, or a whole one of other sources than the record says. ``marks``
    is where unfinished builds are noted: PlatformIO empties its build folders itself.
    """
    mark = marks / f"{folder.parent.name}-{folder.name}"
    if mark.exists():
        shutil.rmtree(folder, ignore_errors=True)
    marks.mkdir(parents=True, exist_ok=True)
    mark.touch()
    yield
    mark.unlink()


def drop_broken(cache: Path) -> int:
    """Removes what is no whole object, archive or image; returns how many files that were.

    Two builds at once, a full disk or a power cut can leave an empty one, which every later build
    would link.
    """
    broken = [path for path in cache.glob("??/*") if path.is_file() and not _is_whole(path)]
    for path in broken:
        path.unlink()
    return len(broken)


def _is_whole(path: Path) -> bool:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(ELF32_SECTIONS.size)
        if head.startswith(b"\x7fELF") and len(head) == ELF32_SECTIONS.size:
            offset, entry, count = ELF32_SECTIONS.unpack(head)
            return bool(0 < offset + entry * count <= size)
        if not head.startswith(ARCHIVE):
            return False
        at = len(ARCHIVE)
        while at < size:
            file.seek(at)
            member = file.read(ARCHIVE_HEADER)
            length = member[48:58].strip()
            if len(member) < ARCHIVE_HEADER or not length.isdigit():
                return False
            at += ARCHIVE_HEADER + int(length) + int(length) % 2
        return at == size
