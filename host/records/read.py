"""A run's folder, read back."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from tinyrobust.core.errors import UsageError
from tinyrobust.core.plain import one_line
from tinyrobust.host.records.intact import intact
from tinyrobust.host.records.parquet import UNREADABLE, read_parquet
from tinyrobust.host.records.schema import SCHEMA, Manifest
from tinyrobust.host.records.store import MANIFEST, RECORDS, read_manifest


def read_run(run_dir: Path) -> tuple[Manifest, pa.Table]:
    """The manifest and the records of a run folder.

    Raises UsageError on one that has none, or foreign ones.
    """
    for name in (MANIFEST, RECORDS):
        if not (run_dir / name).exists():
            raise UsageError(f"{run_dir}: no run here ({name} is missing)")
    manifest = read_manifest(run_dir)
    path = run_dir / RECORDS
    try:
        table = _of_this_version(read_parquet(path))
        if not table.schema.equals(SCHEMA):
            raise UsageError(f"{path}: not this version's columns; run the bench again")
        return manifest, intact(table)
    except UNREADABLE as err:
        raise UsageError(f"{path}: {one_line(err)}: run the bench again") from None


def _of_this_version(table: pa.Table) -> pa.Table:
    """``table`` with what runs of earlier versions did not keep, where that is all it lacks.

    They kept no ``l1`` and had no ``target``, and their levels fitted into 16 bits.
    """
    missing = {"l1": None, "target": -1}
    for name in missing.keys() - set(table.schema.names):
        column = pa.repeat(pa.scalar(missing[name], SCHEMA.field(name).type), len(table))
        table = table.append_column(SCHEMA.field(name), column)
    for name in ("levels", "linf"):
        at = table.schema.get_field_index(name)
        if at >= 0 and table.schema.field(at).type == pa.int16():
            table = table.set_column(at, SCHEMA.field(name), table[name].cast(pa.int32()))
    return table.select(SCHEMA.names) if set(table.schema.names) == set(SCHEMA.names) else table
