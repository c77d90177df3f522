"""One run's folder: manifest, Parquet parts, the merged records.

Whatever was recorded survives any end of the program.

A part is written beside its place, synced and renamed, and never touched again; a run that is
started again reads the keys that are there and makes the rest. What an attack that failed left is
made again, even of a run that was complete. The lock keeps two runs out of one folder.
"""

from __future__ import annotations

import fcntl
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tinyrobust.core.cells import Cell
from tinyrobust.core.errors import UsageError
from tinyrobust.core.files import replacing, write_whole
from tinyrobust.core.plain import one_line
from tinyrobust.core.types import BoolArray
from tinyrobust.host.records.intact import intact
from tinyrobust.host.records.parquet import UNREADABLE, read_parquet, write_parquet
from tinyrobust.host.records.schema import SCHEMA, Manifest

MANIFEST = "manifest.json"
RECORDS = "records.parquet"
PARTS = "parts"
EXAMPLES = "examples.npz"
FAILED = "failed"
KEY = ("rung", "attack", "source", "eps", "seed", "sample")
MAX_MANIFEST = 1 << 22
REMEDY = "make room or choose another --out; what was recorded is kept"


def read_manifest(run: Path) -> Manifest:
    """The manifest of a run's folder. Raises UsageError where it is none."""
    path = run / MANIFEST
    try:
        with path.open("rb") as file:
            text = file.read(MAX_MANIFEST).decode()
        return Manifest.from_json(text)
    except (OSError, ValueError) as err:
        raise UsageError(
            f"{path}: {getattr(err, 'strerror', None) or one_line(err)}: not a run's folder"
        ) from None


class Store:
    """The folder ``root/manifest.run_id``, locked from ``__enter__`` to ``__exit__``."""

    def __init__(self, root: Path, manifest: Manifest) -> None:
        self.path = root / manifest.run_id
        self._manifest = manifest
        self._lock: IO[bytes] | None = None
        self._done: dict[tuple[str, Cell], BoolArray] = {}
        self._next = 0
        self.dropped = 0
        """Records of attacks that had ended with an error, taken out to be made again."""

    def __enter__(self) -> Store:
        try:
            (self.path / PARTS).mkdir(parents=True, exist_ok=True)
            self._lock = (self.path / "lock").open("wb")
        except OSError as err:
            raise UsageError(f"{self.path}: {err.strerror}: choose another --out") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise UsageError(
                f"{self.path}: another run is writing here: wait for it to end"
            ) from None
        try:
            if (self.path / MANIFEST).exists():
                self._manifest = read_manifest(self.path)
            else:
                self.describe(self._manifest)
            self._resume()
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        if self._lock is not None:
            self._lock.close()

    @property
    def manifest(self) -> Manifest:
        """The run's manifest as it stands on disk."""
        return self._manifest

    @property
    def complete(self) -> bool:
        """Whether the run has ended and its records are merged."""
        return self._manifest.state == "complete"

    def describe(self, manifest: Manifest) -> None:
        """Replaces the manifest."""
        write_whole(self.path / MANIFEST, manifest.to_json().encode(), REMEDY)
        self._manifest = manifest

    def _parts(self) -> list[Path]:
        return sorted((self.path / PARTS).glob("[0-9]*.parquet"))

    def _resume(self) -> None:
        for left in (self.path / PARTS).glob(".*.tmp"):
            left.unlink(missing_ok=True)
        if self.complete:
            whole = read_table(self.path / RECORDS, [*KEY, FAILED])
            if not pc.any(whole[FAILED]).as_py():
                self._mark(whole)
                return
            self._reopen()
        parts = self._parts()
        for part in parts:
            self._mark(self._without_failed(part))
        self._next = int(parts[-1].stem) + 1 if parts else 0

    def _reopen(self) -> None:
        """A complete run becomes an unfinished one, its records the first part."""
        for left in self._parts():
            left.unlink()
        with replacing(self.path / PARTS / "000000.parquet", REMEDY) as file:
            write_parquet(read_table(self.path / RECORDS), file)
        self.describe(replace(self._manifest, state="running"))

    def _without_failed(self, part: Path) -> pa.Table:
        """The keys of a part, its records of failed attacks taken out of the file."""
        keys = read_table(part, [*KEY, FAILED])
        failed = int(pc.sum(keys[FAILED]).as_py() or 0)
        if failed:
            with replacing(part, REMEDY) as file:
                write_parquet(_whole(read_table(part)), file)
            self.dropped += failed
        return _whole(keys)

    def _mark(self, table: pa.Table) -> None:
        keys = [table[name].to_pylist() for name in KEY[:-1]]
        samples = table["sample"].to_numpy()
        rows: dict[tuple[str, Cell], list[int]] = {}
        for i, (rung, *cell) in enumerate(zip(*keys, strict=True)):
            rows.setdefault((rung, Cell(*cell)), []).append(i)
        for (rung, at), where in rows.items():
            done = self._done.setdefault((rung, at), np.zeros(self._manifest.samples, np.bool_))
            if samples[where].max() >= len(done):
                raise UsageError(
                    f"{self.path}: "
                    f"a record of sample {samples[where].max()} of {len(done)}: remove it"
                )
            done[samples[where]] = True

    def done(self, rung: str, cell: Cell) -> BoolArray:
        """Which samples of a cell are recorded on a rung: bool [manifest.samples]."""
        none = np.zeros(self._manifest.samples, np.bool_)
        return np.array(self._done.get((rung, cell), none))

    @property
    def recorded(self) -> int:
        """Records so far."""
        return int(sum(done.sum() for done in self._done.values()))

    def append(self, table: pa.Table) -> None:
        """Adds records (records.SCHEMA) for good.

        Raises UsageError where the disk does not take them.
        """
        with replacing(self.path / PARTS / f"{self._next:06d}.parquet", REMEDY) as file:
            write_parquet(table.cast(SCHEMA), file)
        self._next += 1
        self._mark(table)

    def finish(self, manifest: Manifest) -> Path:
        """Merges all parts into ``records.parquet`` and marks the run complete.

        The path of the records.
        """
        out = self.path / RECORDS
        parts = self._parts()
        if parts:
            table = pa.concat_tables([read_table(part) for part in parts])
            if len(table) != self.recorded:
                raise UsageError(
                    f"{self.path}: {len(table)} records for {self.recorded} keys: "
                    "remove it and run again"
                )
            with replacing(out, REMEDY) as file:
                write_parquet(table, file)
        self.describe(manifest)
        for part in parts:
            part.unlink()
        return out


def _whole(table: pa.Table) -> pa.Table:
    return table.filter(pc.invert(table[FAILED]))


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """A Parquet file of records. Raises UsageError where it is damaged or has other columns."""
    try:
        table = read_parquet(path, columns)
        wanted = SCHEMA if columns is None else pa.schema([SCHEMA.field(name) for name in columns])
        return intact(table.cast(wanted))
    except UNREADABLE as err:
        raise UsageError(
            f"{path}: not readable as records ({one_line(err)}): remove it and run again"
        ) from None
