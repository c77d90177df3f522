"""The file in which a board's answers outlive the program.

Records are fixed, each with its own CRC, and found by digest.

A header names what answered and how long its answers are; a record is a digest, an answer and a
CRC-32. Records are only appended. Whatever an interruption left of the last one is cut off when the
file is opened again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import struct
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import Int64Array

MAGIC = b"tinyrobust journal 1\n"
DIGEST_BYTES = 16
CRC_BYTES = 4
MAX_ANSWER_BYTES = 1 << 20
"""Longest answer that is believed of a header."""

_HEAD = struct.Struct("<21s32sI")
_HEAD_BYTES = _HEAD.size + CRC_BYTES
SYNC_SECONDS = 1.0
"""Of answers that a loss of power may cost; the end of the program costs none."""
_READ_BYTES = 1 << 22
_MERGE = 1 << 18
"""New records kept in a dict, before they join the sorted arrays that take a tenth of the
memory.
"""


def _sealed(data: bytes) -> bytes:
    return data + zlib.crc32(data).to_bytes(CRC_BYTES, "little")


def _unsealed(data: bytes) -> bytes | None:
    body = data[:-CRC_BYTES]
    return body if len(data) > CRC_BYTES and _sealed(body) == data else None


class JournalFile:
    """Answers of one length under digests of ``DIGEST_BYTES``; locked until ``close``.

    Raises UsageError where the file belongs to another ``identity``, is being written by another
    run, or cannot be written.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self._identity = hashlib.sha256(identity.encode()).digest()
        self._answer = 0
        self._keys = np.zeros(0, np.uint64)
        self._places = np.zeros(0, np.int64)
        self._recent: dict[int, int] = {}
        self._count = 0
        self._syncer = ThreadPoolExecutor(1)
        self._syncing: Future[None] = Future()
        self._syncing.set_result(None)
        self._synced = time.monotonic()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as err:
            raise UsageError(f"{path}: {err.strerror}: choose another place") from None
        try:
            with self._told():
                self._open()
        except BaseException:
            self.close()
            raise

    @property
    def _record(self) -> int:
        return DIGEST_BYTES + self._answer + CRC_BYTES

    def __len__(self) -> int:
        return self._count

    def close(self) -> None:
        """Unlocks it."""
        self._syncer.shutdown()
        with contextlib.suppress(OSError):
            os.fsync(self._file)
        os.close(self._file)

    def _sync(self) -> None:
        """Now and then, what was added is made safe from a loss of power, too.

        A disk takes longer for that than many a board for its next sample: nobody waits for it.
        Raises the last one's error.
        """
        if self._syncing.done() and time.monotonic() - self._synced > SYNC_SECONDS:
            self._syncing.result()
            self._synced = time.monotonic()
            self._syncing = self._syncer.submit(os.fsync, self._file)

    def get(self, digest: bytes) -> bytes | None:
        """The answer under ``digest``, or None. Raises UsageError where the file cannot be read."""
        key = int.from_bytes(digest[:8], "little")
        place = self._recent.get(key)
        if place is None:
            at = int(np.searchsorted(self._keys, np.uint64(key)))
            if at == len(self._keys) or self._keys[at] != key:
                return None
            place = int(self._places[at])
        with self._told():
            body = _unsealed(os.pread(self._file, self._record, _HEAD_BYTES + place * self._record))
        return body[DIGEST_BYTES:] if body is not None and body[:DIGEST_BYTES] == digest else None

    def append(self, records: list[tuple[bytes, bytes]]) -> None:
        """Adds (digest, answer) pairs.

        They outlive this program from here on, and a loss of power ``SYNC_SECONDS`` later. Raises
        UsageError on a full disk, having kept none.

        The first answer of a file settles the length of all. Raises ValueError on an answer of
        another length.
        """
        answer = self._answer or len(records[0][1])
        if not 0 < answer <= MAX_ANSWER_BYTES or any(len(pair[1]) != answer for pair in records):
            raise ValueError(
                f"answers of {sorted({len(pair[1]) for pair in records})} bytes among those of "
                f"{answer}"
            )
        with self._told():
            if not self._answer:
                _write(self._file, _sealed(_HEAD.pack(MAGIC, self._identity, answer)), 0)
                self._answer = answer
            end = _HEAD_BYTES + self._count * self._record
            try:
                _write(
                    self._file,
                    b"".join(_sealed(digest + answer) for digest, answer in records),
                    end,
                )
                self._sync()
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._file, end)
                raise
        for digest, _ in records:
            self._recent[int.from_bytes(digest[:8], "little")] = self._count
            self._count += 1
        if len(self._recent) >= _MERGE:
            self._merge()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as err:
            raise UsageError(
                f"{self.path}: {err.strerror or err}: what was answered until then is kept"
            ) from None

    def _open(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"{self.path}: another run is writing here: wait for it to end"
            ) from None
        head = _unsealed(os.pread(self._file, _HEAD_BYTES, 0))
        if head is None:
            self._begin()
            return
        magic, identity, answer = _HEAD.unpack(head)
        if magic != MAGIC or not 0 < answer <= MAX_ANSWER_BYTES:
            raise UsageError(
                f"{self.path}: not a journal of this version: remove it, or choose another place"
            )
        if identity != self._identity:
            raise UsageError(
                f"{self.path}: answers of another network or firmware: remove it, "
                "or choose another place"
            )
        self._answer = answer
        self._read()
        os.ftruncate(self._file, _HEAD_BYTES + self._count * self._record)

    def _begin(self) -> None:
        """Begins a file without a head: an empty one, or one that ended within its head."""
        size = os.fstat(self._file).st_size
        start = os.pread(self._file, len(MAGIC), 0)
        if size >= _HEAD_BYTES or not MAGIC.startswith(start):
            raise UsageError(
                f"{self.path}: not a journal, or a damaged one: remove it, or choose another place"
            )
        os.ftruncate(self._file, 0)

    def _read(self) -> None:
        """Indexes the records up to the first damaged one."""
        step = max(1, _READ_BYTES // self._record)
        while True:
            chunk = os.pread(
                self._file, step * self._record, _HEAD_BYTES + self._count * self._record
            )
            for start in range(0, len(chunk), self._record):
                body = _unsealed(chunk[start : start + self._record])
                if body is None or len(body) + CRC_BYTES != self._record:
                    return self._merge()
                self._recent[int.from_bytes(body[:8], "little")] = self._count
                self._count += 1
            if len(chunk) < step * self._record:
                return self._merge()
            if len(self._recent) >= _MERGE:
                self._merge()

    def _merge(self) -> None:
        new = np.fromiter(self._recent, np.uint64, len(self._recent))
        places: Int64Array = np.fromiter(self._recent.values(), np.int64, len(self._recent))
        # The later of two with one key wins: a reversed array makes it the first that np.unique
        # meets.
        keys = np.concatenate([self._keys, new])[::-1]
        self._keys, first = np.unique(keys, return_index=True)
        self._places = np.concatenate([self._places, places])[::-1][first]
        self._recent.clear()


def _write(file: int, data: bytes, at: int) -> None:
    while data:
        written = os.pwrite(file, data, at)
        data, at = data[written:], at + written
