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
        table = read_parquet(path)
        if "l1" not in table.schema.names:  # a run of a version that did not keep it
            none = pa.nulls(len(table), SCHEMA.field("l1").type)
            table = table.append_column(SCHEMA.field("l1"), none).select(SCHEMA.names)
        if not table.schema.equals(SCHEMA):
            raise UsageError(f"{path}: not this version's columns; run the bench again")
        return manifest, intact(table)
    except UNREADABLE as err:
        raise UsageError(f"{path}: {one_line(err)}: run the bench again") from None
