"""A folder of certificates: one row per sample and box, kept as soon as it is there.

``certify.json`` says what was certified and how (``Subject``), and when it is complete the figures
of every box. ``certified.parquet`` holds the rows (``SCHEMA``). While the work goes on, rows are
appended to ``certified.jsonl``, one JSON list a line, each on disk before the next is begun; what
an interruption left of the last line is cut off, and the same command makes the rest.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from tinyrobust.core.errors import UsageError
from tinyrobust.core.files import replacing
from tinyrobust.host.records.certificates.read import read_rows, read_subject
from tinyrobust.host.records.certificates.schema import (
    ROWS,
    SCHEMA,
    SUMMARY,
    Certificate,
    Subject,
)
from tinyrobust.host.records.parquet import write_parquet

JOURNAL = "certified.jsonl"
_MOST_BYTES = 1 << 28


class Certificates:
    """The folder ``path``, locked from ``__enter__`` to ``__exit__``."""

    def __init__(self, path: Path, subject: Subject) -> None:
        self.path = path
        self._subject = subject
        self._rows: dict[tuple[int, int], Certificate] = {}
        self._journal: IO[bytes] | None = None

    def __enter__(self) -> Certificates:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._journal = (self.path / JOURNAL).open("ab+")
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"{self.path}: another certify is writing here: wait for it") from None
        except OSError as err:
            raise UsageError(f"{self.path}: {err.strerror}: choose another --out") from None
        try:
            self._resume()
        except BaseException:
            self._journal.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        if self._journal is not None:
            self._journal.close()

    def done(self, levels: int) -> set[int]:
        """Samples that have a row for this box."""
        return {sample for at, sample in self._rows if at == levels}

    def rows(self, levels: int, samples: int) -> list[Certificate]:
        """The rows of one box for the first ``samples``, in their order."""
        return [self._rows[levels, i] for i in range(samples) if (levels, i) in self._rows]

    def append(self, rows: Sequence[Certificate]) -> None:
        """Adds rows for good. Raises UsageError where the disk does not take them."""
        assert self._journal is not None, "the folder is not open"
        lines = "".join(json.dumps(dataclasses.astuple(row)) + "\n" for row in rows)
        try:
            self._journal.write(lines.encode())
            self._journal.flush()
            os.fsync(self._journal.fileno())
        except OSError as err:
            raise UsageError(
                f"{self.path}: {err.strerror}: make room; what was certified is kept"
            ) from None
        self._add(rows)

    def finish(self, summary: dict[str, Any]) -> None:
        """Writes all rows as Parquet and ``summary`` beside what is certified."""
        assert self._journal is not None, "the folder is not open"
        rows = [dataclasses.asdict(self._rows[key]) for key in sorted(self._rows)]
        with replacing(self.path / ROWS) as file:
            write_parquet(pa.Table.from_pylist(rows, SCHEMA), file)
        self._describe("complete", summary)
        self._journal.truncate(0)

    def _describe(self, state: str, summary: dict[str, Any]) -> None:
        text = {"state": state, "subject": dataclasses.asdict(self._subject), **summary}
        with replacing(self.path / SUMMARY) as file:
            file.write((json.dumps(text, indent=2) + "\n").encode())

    def _resume(self) -> None:
        assert self._journal is not None
        if (self.path / SUMMARY).exists():
            if read_subject(self.path) != self._subject:
                raise UsageError(
                    f"{self.path}: certificates of another network, data set or method: "
                    "remove it, or choose another --out"
                )
        else:
            self._describe("running", {})
        if (self.path / ROWS).exists():
            self._add(read_rows(self.path))
        self._journal.seek(0)
        data = self._journal.read(_MOST_BYTES)
        whole = data.rfind(b"\n") + 1
        self._journal.truncate(whole)
        for line in data[:whole].splitlines():
            self._add([_certificate(line, self.path)])

    def _add(self, rows: Iterable[Certificate]) -> None:
        self._rows |= {(row.levels, row.sample): row for row in rows}


def _certificate(line: bytes, path: Path) -> Certificate:
    try:
        return Certificate(*json.loads(line))
    except (ValueError, TypeError) as err:
        raise UsageError(f"{path / JOURNAL}: damaged ({err}): remove it") from None
