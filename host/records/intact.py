"""Are these records that a run can have made?

Asked of every file that is read, before any figure. Pure.

Parquet keeps a checksum of its pages where it was asked to; this is for what is wrong and yet
well-formed.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from tinyrobust.core.errors import UsageError
from tinyrobust.core.plain import printable

MAY_BE_NULL = ("l1", "raw", "ticks", "retries")
NAMES = ("rung", "attack", "source")
FINITE = ("eps",)
LEAST = {
    "sample": 0,
    "label": -1,
    "target": -1,
    "eps": 0,
    "levels": 0,
    "linf": 0,
    "l0": 0,
    "ticks": 0,
    "retries": 0,
    "predicted": 0,
}
"""Smallest value of a column."""
MOST_PANELS = 300
"""Attacks by sources by seeds: a figure has a panel for each."""


def intact(table: pa.Table) -> pa.Table:
    """``table``, any columns of ``records.SCHEMA``, with printable names.

    Raises ValueError where it was damaged.
    """
    table.validate(full=True)
    names = table.schema.names
    for name in names:
        if name not in MAY_BE_NULL and table[name].null_count:
            raise ValueError(f"{name} has {table[name].null_count} empty fields")
    for name in FINITE:
        if name in names and not pc.all(pc.is_finite(table[name]), min_count=0).as_py():
            raise ValueError(f"{name} is not finite everywhere")
    for name, least in LEAST.items():
        if name in names and (lowest := pc.min(table[name]).as_py()) is not None and lowest < least:
            raise ValueError(f"{name} goes down to {lowest}")
    if "logits" in names:
        _outputs(table)
    for name in NAMES:
        if name in names:
            table = _printable(table, name)
    return table


def presentable(table: pa.Table) -> pa.Table:
    """``table`` where a report can show it.

    Raises UsageError on more attacks and sources than a figure holds.
    """
    panels = len(table.group_by(["attack", "source", "seed"]).aggregate([]))
    if panels > MOST_PANELS:
        raise UsageError(
            f"records: {panels} attacks by sources by seeds: a report holds {MOST_PANELS}"
        )
    return table


def _outputs(table: pa.Table) -> None:
    lengths = pc.list_value_length(table["logits"])
    if len(table) and not pc.min(lengths).as_py():
        raise ValueError("logits has records without an output")
    if pc.list_flatten(table["logits"]).null_count:
        raise ValueError("logits has empty fields")
    if "raw" in table.schema.names:
        stored = pc.binary_length(table["raw"])
        fits = pc.or_(pc.equal(stored, lengths), pc.equal(stored, pc.multiply(lengths, 2)))
        if not pc.all(fits, min_count=0).as_py():
            raise ValueError("raw has other lengths than logits")


def _printable(table: pa.Table, name: str) -> pa.Table:
    column = table[name].combine_chunks().dictionary_encode()
    said = column.dictionary.to_pylist()
    shown = [printable(one) for one in said]
    if said == shown:
        return table
    plain = pa.array(shown, pa.string()).take(column.indices)
    return table.set_column(table.schema.get_field_index(name), table.schema.field(name), plain)
