"""Records with the values that a test is about, and any values in the columns it is not about."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tinyrobust.core.cells import Cell
from tinyrobust.host.analysis.groups import groups
from tinyrobust.host.records.schema import SCHEMA
from tinyrobust.host.records.store import RECORDS

CELL = Cell("noise", "-", 0.1, 3)


def rows(rung, cell, n, **columns):
    """``n`` records of ``cell`` on ``rung``; what ``columns`` does not name is zero, or absent
    where it may be.
    """
    given = {
        "rung": [rung] * n,
        "attack": [cell.attack] * n,
        "source": [cell.source] * n,
        "eps": [cell.eps] * n,
        "seed": [cell.seed] * n,
        "failed": [False] * n,
        "target": [-1] * n,
        "sample": range(n),
        "input_crc": range(n),
        "logits": [[0.0, 1.0]] * n,
        **columns,
    }
    absent = {"raw": [None] * n, "ticks": [None] * n, "retries": [None] * n}
    values = {**dict.fromkeys(SCHEMA.names, [0] * n), **absent, **given}
    arrays = [pa.array(values[field.name], field.type) for field in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def cell_of(cell, rung, predicted, labels=None, level=None, l2=None):
    """Records of one cell on one rung, whose ``predicted`` [n] are given; labels 0, ``l2`` [n] the
    lengths.
    """
    n = len(predicted)
    level = round(cell.eps * 255) if level is None else level
    length = np.full(n, level / 255 * 8) if l2 is None else np.asarray(l2)
    return rows(
        rung,
        cell,
        n,
        levels=[level] * n,
        linf=np.full(n, level),
        l2=length,
        l1=2 * length,
        l0=np.where(length > 0, 3, 0),
        unsnapped=length,
        label=np.zeros(n, np.int64) if labels is None else labels,
        predicted=np.asarray(predicted),
    )


def part(samples, rung="native", failed=()):
    """What a run appends at once: ``samples`` of ``CELL``, the attack failed on ``failed``."""
    return rows(
        rung,
        CELL,
        len(samples),
        failed=[one in failed for one in samples],
        sample=samples,
        input_crc=samples,
        raw=[b"ab"] * len(samples),
        retries=[0] * len(samples),
    )


def group(rung, cell, right):
    """Answers of one rung in one cell, bool [n] ``right`` of which are right."""
    return groups(cell_of(cell, rung, np.where(right, 0, 1)))[cell][rung]


def read(folder: Path):
    """The records of the run in ``folder``, each a dictionary, in one order whoever wrote them."""
    keys = ("rung", "attack", "source", "eps", "sample")
    table = pq.read_table(folder / RECORDS).to_pylist()
    return sorted(table, key=lambda row: [row[key] for key in keys])
