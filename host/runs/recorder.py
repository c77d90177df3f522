"""Predictions to records, appended to the store as they come."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from tinyrobust.core.cells import AdversarialSet
from tinyrobust.core.types import Int64Array, IntArray, Prediction, Predictor
from tinyrobust.host.records.schema import SCHEMA
from tinyrobust.host.records.store import Store

BATCH = 64
FLUSH_SECONDS = 2.0
"""At most about so much work is done again after an interruption."""
SLOW_SECONDS = 10.0
"""A rung that takes longer for one batch is asked in smaller ones, that take about
``FLUSH_SECONDS``.
"""

Tick = Callable[[str, int, int], None]
"""Progress: (what is being done, records made, records in all)."""


def to_table(
    rung: str, made: AdversarialSet, at: Int64Array, labels: Int64Array, answer: Prediction
) -> pa.Table:
    """Records (records.SCHEMA) of the samples ``at`` (int64 indices) of one cell on one rung."""
    n, cell = len(at), made.cell
    columns = {
        "rung": [rung] * n,
        "attack": [cell.attack] * n,
        "source": [cell.source] * n,
        "eps": [cell.eps] * n,
        "seed": [cell.seed] * n,
        "levels": [made.levels] * n,
        "linf": made.linf[at],
        "l2": made.l2[at],
        "l1": made.l1[at],
        "l0": made.l0[at],
        "unsnapped": made.unsnapped[at],
        "failed": made.failed[at],
        "sample": at,
        "label": labels[at],
        "predicted": answer.logits.argmax(axis=1),
        "target": [-1] * n if made.target is None else made.target[at],
        "input_crc": [zlib.crc32(little_endian(made.q[i])) for i in at],
        "logits": [row.astype(np.float32) for row in answer.logits],
        "raw": None if answer.raw is None else [little_endian(row) for row in answer.raw],
        "ticks": answer.ticks,
        "retries": answer.retries,
    }
    arrays = [
        pa.nulls(n, f.type) if columns[f.name] is None else pa.array(columns[f.name], f.type)
        for f in SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def little_endian(row: IntArray) -> bytes:
    """The bytes of ``row``, as a board would send them."""
    return row.astype(row.dtype.newbyteorder("<")).tobytes()


class Recorder:
    """Runs rungs on the samples that are missing and keeps what they answer.

    The store is appended to about every ``FLUSH_SECONDS``.
    """

    def __init__(self, store: Store, labels: Int64Array, total: int, tick: Tick) -> None:
        self._store, self._labels, self._total, self._tick = store, labels, total, tick
        self.made = 0

    def cell(self, rung: Predictor, made: AdversarialSet) -> None:
        """Records what of one cell is missing on one rung.

        What was answered before an error is kept.
        """
        missing = np.flatnonzero(~self._store.done(rung.rung, made.cell))
        tables: list[pa.Table] = []
        flushed = time.monotonic()
        start, batch = 0, BATCH
        what = f"{made.cell.attack} eps {made.cell.eps:.4g} from {made.cell.source} on {rung.rung}"
        try:
            while start < len(missing):
                at = missing[start : start + batch]
                start += len(at)
                asked = time.monotonic()
                tables.append(to_table(rung.rung, made, at, self._labels, rung.predict(made.q[at])))
                batch = _next_batch(batch, len(at), time.monotonic() - asked)
                if time.monotonic() - flushed > FLUSH_SECONDS:
                    self._flush(tables)
                    flushed = time.monotonic()
                self._tick(what, self._store.recorded + sum(map(len, tables)), self._total)
        finally:
            self._flush(tables)

    def _flush(self, tables: list[pa.Table]) -> None:
        if tables:
            table = pa.concat_tables(tables)
            tables.clear()
            self._store.append(table)
            self.made += len(table)


def _next_batch(batch: int, made: int, seconds: float) -> int:
    """Samples of the next batch, where ``made`` took so many seconds."""
    if seconds > SLOW_SECONDS or batch < BATCH:
        return int(min(max(1.0, made * FLUSH_SECONDS / max(seconds, 1e-6)), BATCH))
    return batch
