"""The files inside a ``.tar.gz``, read one after the other; nothing of it is ever written to disk."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from host.types import UsageError

_CHUNK = 1 << 20


def files(path: Path, largest: int) -> Iterator[tuple[str, bytes]]:
    """Name, without a leading ``./``, and content of each regular file, in the archive's order.

    Links, devices and folders are passed over. Raises UsageError where the archive is damaged or ends too early, or a
    file in it is longer than ``largest`` bytes, which is known before it is read.
    """
    try:
        with gzip.open(path) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    if not member.isreg():
                        continue
                    if member.size > largest:
                        raise UsageError(
                            f"{path}: {member.name} has {member.size} bytes, at most {largest} are expected"
                        )
                    content = archive.extractfile(member)
                    if content is not None:
                        yield member.name.removeprefix("./"), content.read()
                    archive.members.clear()  # type: ignore[attr-defined]  # else a header is kept of every file
            while stream.read(_CHUNK):  # to the end, where gzip's own checksum is
                pass
    except (tarfile.TarError, zlib.error, EOFError, OSError) as err:
        raise UsageError(f"{path}: damaged ({err}); delete the file and run again") from None
