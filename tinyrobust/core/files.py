"""Files that appear whole, on disk and at once, or not at all.

Where the disk refuses, one line names the path.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tinyrobust.core.errors import UsageError

REMEDY = "make room there or choose another place"
CACHE_REMEDY = "free the disk or move TINYROBUST_CACHE"
"""For what is kept in the cache."""


@contextlib.contextmanager
def replacing(path: Path, remedy: str = REMEDY) -> Iterator[IO[bytes]]:
    """A file to write that appears at ``path`` whole, on disk and at once, or not at all.

    Makes its folder.

    Raises UsageError, with the path and ``remedy``, where the disk does not take it; an older file
    stays as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            _sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as err:
        raise UsageError(f"{path}: {_why(err)}: {remedy}") from None


def write_whole(path: Path, data: bytes, remedy: str = REMEDY) -> Path:
    """Writes ``data`` as ``replacing`` does, and returns ``path``. Raises UsageError."""
    with replacing(path, remedy) as file:
        file.write(data)
    return path


def made_folder(path: Path, remedy: str = REMEDY) -> Path:
    """``path``, made with its parents where it is missing. Raises UsageError where it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise UsageError(f"{path}: {_why(err)}: {remedy}") from None
    return path


def _why(err: OSError) -> str:
    return err.strerror or " ".join(str(err).split()) or type(err).__name__


def _sync(folder: Path) -> None:
    """A rename is on disk once its folder is."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
