"""What each operator of the network took on the device.

It is recorded once in a run's folder and read by the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tinyrobust.core.abi.wire import OperatorTicks
from tinyrobust.core.errors import UsageError
from tinyrobust.core.files import replacing
from tinyrobust.core.plain import one_line, printable
from tinyrobust.host.records.parquet import UNREADABLE, read_parquet, write_parquet
from tinyrobust.host.records.schema import Manifest
from tinyrobust.host.records.ticks import Counter, of_manifest

LAYERS = "layers.parquet"
SCHEMA = pa.schema(
    [
        pa.field("sample", pa.int32()),
        pa.field("op", pa.int32()),
        pa.field("name", pa.string()),
        pa.field("ticks", pa.int64()),
    ]
)
"""One row per operator and inference, in the order in which they ran; ``ticks`` in the manifest's
``tick_unit``.
"""


@dataclass(frozen=True)
class Layer:
    """One operator: median, 5th and 95th percentile of its counts, in the unit of ``Layers``."""

    op: int
    name: str
    median: float
    p5: float
    p95: float
    share: float
    """Of the sum of all medians."""


@dataclass(frozen=True)
class Layers:
    """The operators of one network on one device."""

    counter: Counter
    inferences: int
    rows: tuple[Layer, ...]


def record(run: Path, profiles: Sequence[Sequence[OperatorTicks]]) -> None:
    """Writes what was measured into the folder of a run.

    Raises UsageError where the disk does not take it.
    """
    rows = [
        {"sample": sample, "op": op, "name": one.name, "ticks": one.ticks}
        for sample, profile in enumerate(profiles)
        for op, one in enumerate(profile)
    ]
    with replacing(run / LAYERS) as file:
        write_parquet(pa.Table.from_pylist(rows, SCHEMA), file)


def read_layers(run: Path, manifest: Manifest) -> Layers | None:
    """The operators' counts, None where they were not measured.

    Raises UsageError on a damaged file.
    """
    path = run / LAYERS
    if not path.is_file():
        return None
    try:
        table = read_parquet(path)
        table.validate(full=True)
    except UNREADABLE as err:
        raise UsageError(f"{path}: {one_line(err)}: remove it and run again") from None
    if not table.schema.equals(SCHEMA) or not len(table) or not _intact(table):
        raise UsageError(f"{path}: not an operator for each row: remove it and run again")
    return summarise(table, of_manifest(manifest))


def _intact(table: pa.Table) -> bool:
    """Whether every field is there and none is negative."""
    return all(
        not column.null_count and (column.type == pa.string() or pc.min(column).as_py() >= 0)
        for column in table.columns
    )


def summarise(table: pa.Table, counter: Counter) -> Layers:
    """Medians and tails of the rows of ``SCHEMA``, at least one."""
    ops, ticks = table["op"].to_numpy(), table["ticks"].to_numpy() * counter.per_tick
    names = dict(zip(ops.tolist(), map(printable, table["name"].to_pylist()), strict=True))
    cuts = {op: np.percentile(ticks[ops == op], (50, 5, 95)).tolist() for op in sorted(names)}
    total = sum(median for median, _, _ in cuts.values()) or 1.0
    rows = tuple(
        Layer(op, names[op], mid, p5, p95, mid / total) for op, (mid, p5, p95) in cuts.items()
    )
    return Layers(counter, len(np.unique(table["sample"].to_numpy())), rows)
