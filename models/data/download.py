"""Files from the authors of a data set: checksummed, resumable, cached.

``TINYROBUST_CACHE`` moves the cache.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import http.client
import os
import tarfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tinyrobust.core.cache import cache_folder
from tinyrobust.core.errors import UsageError
from tinyrobust.core.progress import Say, to_stderr

_CHUNK = 1 << 20
_TIMEOUT_S = 30


@dataclass(frozen=True)
class Source:
    """One official file of a data set: where it is, its SHA-256 and its length in bytes."""

    folder: str
    """Name of the data set; a copy of one's own is looked for in ``$BENCH_DATA/<folder>``."""
    url: str
    sha256: str
    size: int

    @property
    def file(self) -> str:
        """File name as published."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def name(self) -> str:
        """File name in the cache: two data sets may publish files of the same name."""
        return f"{self.sha256[:8]}-{self.file}"


def bench_data() -> Path | None:
    """The folder that ``BENCH_DATA`` names, or None where it is unset.

    Raises UsageError when it is no folder.
    """
    value = os.environ.get("BENCH_DATA")
    if not value:
        return None
    if not Path(value).is_dir():
        raise UsageError(f"BENCH_DATA={value}: no such folder")
    return Path(value)


def own_copy(source: Source) -> Path | None:
    """``$BENCH_DATA/<folder>/<file>`` where it exists; its content is not looked at."""
    root = bench_data()
    path = root / source.folder / source.file if root else None
    return path if path and path.is_file() else None


def found(source: Source, say: Say = to_stderr) -> Path:
    """The file as its authors published it: a copy under ``BENCH_DATA``, else ``fetched``.

    Raises UsageError as ``fetched`` does, and where the copy has another length or digest.
    """
    path = own_copy(source)
    if path is None:
        return fetched(source, say)
    try:
        if path.stat().st_size != source.size or _sha256(path) != source.sha256:
            raise UsageError(
                f"{path}: not the {source.size} bytes of {source.url} (its SHA-256 is not "
                f"{source.sha256})"
            )
    except OSError as err:
        raise UsageError(f"{path}: {err.strerror}") from None
    return path


def fetched(source: Source, say: Say = to_stderr) -> Path:
    """Path of ``source`` in the cache, where it is downloaded unless it is there and whole.

    A download goes on where it stopped.

    Raises UsageError without a network, on a full disk, and when length or digest differ from the
    published ones.
    """
    path = cache_folder() / "downloads" / source.name
    if path.exists():
        return path  # only ever renamed here after its digest was right
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f".{path.name}.lock").open("w") as lock:
            _wait_for(lock, source, say)
            if not path.exists():
                _download(source, partial, say)
                _verify(source, partial)
                partial.replace(path)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as err:
        reason = getattr(err, "reason", None) or err
        raise UsageError(
            f"{source.url}: {reason}; check the network and run again, it continues, or put a copy "
            f"of {source.file} "
            f"into {os.environ.get('BENCH_DATA') or '$BENCH_DATA'}/{source.folder}"
        ) from None
    except OSError as err:
        raise UsageError(
            f"{partial}: {err.strerror}; free the disk or move TINYROBUST_CACHE"
        ) from None
    return path


def _wait_for(lock: TextIO, source: Source, say: Say) -> None:
    """Two processes never append to one file: the second waits, and then finds it whole."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"{source.file}: another process is downloading it; waiting")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _download(source: Source, partial: Path, say: Say) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    if have >= source.size:
        return
    resume = {"Range": f"bytes={have}-"}
    request = urllib.request.Request(source.url, headers=resume)  # noqa: S310  (URLs are ours)
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
        if answer.status != 206:
            have = 0  # the server sends the whole file again
        with partial.open("ab" if have else "wb") as out:
            while have < source.size and (block := answer.read(min(_CHUNK, source.size - have))):
                out.write(block)
                before, have = have, have + len(block)
                if before * 10 // source.size != have * 10 // source.size:
                    say(
                        f"{source.file}: {have * 100 // source.size} % of {source.size / 1e6:.0f} "
                        "MB"
                    )


def _verify(source: Source, partial: Path) -> None:
    size = partial.stat().st_size
    if size < source.size:
        raise UsageError(
            f"{source.url}: stopped after {size} of {source.size} bytes; run again, it continues"
        )
    if _sha256(partial) != source.sha256:
        partial.unlink()
        raise UsageError(f"{source.url}: its SHA-256 is not {source.sha256}; removed, run again")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as data:
        while block := data.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()


_CHUNK = 1 << 20


def files(path: Path, largest: int) -> Iterator[tuple[str, bytes]]:
    """Name, without a leading ``./``, and content of each regular file, in the archive's order.

    Links, devices and folders are passed over. Raises UsageError where the archive is damaged or
    ends too early, or a file in it is longer than ``largest`` bytes, which is known before it is
    read.
    """
    try:
        with gzip.open(path) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    if not member.isreg():
                        continue
                    if member.size > largest:
                        raise UsageError(
                            f"{path}: {member.name} has {member.size} bytes, at most {largest} are "
                            "expected"
                        )
                    content = archive.extractfile(member)
                    if content is not None:
                        yield member.name.removeprefix("./"), content.read()
                    # else a header is kept of every file
                    archive.members.clear()  # type: ignore[attr-defined]
            while stream.read(_CHUNK):  # to the end, where gzip's own checksum is
                pass
    except (tarfile.TarError, zlib.error, EOFError, OSError) as err:
        raise UsageError(f"{path}: damaged ({err}); delete the file and run again") from None
