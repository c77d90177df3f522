"""Files from the authors of a data set: checksummed, resumable, cached in a folder ``TINYROBUST_CACHE`` moves."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from host.types import UsageError

Say = Callable[[str], None]
_CHUNK = 1 << 20
_TIMEOUT_S = 30


@dataclass(frozen=True)
class Source:
    """One official file: where it is, how long it is in bytes, and its digest by ``algorithm`` of ``hashlib``."""

    url: str
    algorithm: str
    digest: str
    size: int

    @property
    def file(self) -> str:
        """File name as published."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def name(self) -> str:
        """File name in the cache: two data sets may publish files of the same name."""
        return f"{self.digest[:8]}-{self.file}"


def bench_data() -> Path | None:
    """The folder that ``BENCH_DATA`` names, or None where it is unset. Raises UsageError when it is no folder."""
    value = os.environ.get("BENCH_DATA")
    if not value:
        return None
    if not Path(value).is_dir():
        raise UsageError(f"BENCH_DATA={value}: no such folder")
    return Path(value)


def cache_folder() -> Path:
    """``TINYROBUST_CACHE``, or ``.cache`` in the working folder."""
    return Path(os.environ.get("TINYROBUST_CACHE") or ".cache")


def fetched(source: Source, say: Say = print) -> Path:
    """Path of ``source`` in the cache, downloaded (from where it stopped) unless it is there and whole.

    Raises UsageError without a network, on a full disk, and when length or digest differ from the published ones.
    """
    path = cache_folder() / "downloads" / source.name
    if path.exists():
        return path  # only ever renamed here after its digest was right
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _download(source, partial, say)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as err:
        raise UsageError(f"{source.url}: {err}; check the network and run again, it continues") from None
    except OSError as err:
        raise UsageError(f"{partial}: {err.strerror}; free the disk or move TINYROBUST_CACHE") from None
    _verify(source, partial)
    partial.replace(path)
    return path


def _download(source: Source, partial: Path, say: Say) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    if have >= source.size:
        return
    request = urllib.request.Request(source.url, headers={"Range": f"bytes={have}-"})  # noqa: S310  (URLs are ours)
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
        if answer.status != 206:
            have = 0  # the server sends the whole file again
        with partial.open("ab" if have else "wb") as out:
            while have < source.size and (block := answer.read(min(_CHUNK, source.size - have))):
                out.write(block)
                before, have = have, have + len(block)
                if before * 10 // source.size != have * 10 // source.size:
                    say(f"{source.file}: {have * 100 // source.size} % of {source.size / 1e6:.0f} MB")


def _verify(source: Source, partial: Path) -> None:
    size = partial.stat().st_size
    if size < source.size:
        raise UsageError(f"{source.url}: stopped after {size} of {source.size} bytes; run again, it continues")
    digest = hashlib.new(source.algorithm, usedforsecurity=False)
    with partial.open("rb") as data:
        while block := data.read(_CHUNK):
            digest.update(block)
    if digest.hexdigest() != source.digest:
        partial.unlink()
        raise UsageError(f"{source.url}: its {source.algorithm} is not {source.digest}; removed, run again")
