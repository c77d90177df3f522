"""The records, grouped: all predictions of one rung on one cell of the sweep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tinyrobust.core.cells import Cell
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import BoolArray, FloatArray, Int64Array

SLACK = 1e-5
"""Relative excess of a recorded size over its budget that float32 can make."""

RUNG_ORDER = ("float32", "qat", "twin", "tflm", "native", "board")
"""Rungs in order, from the full-precision model to the chip."""


@dataclass(frozen=True)
class Group:
    """All predictions of one rung on one cell, sorted by sample."""

    rung: str
    cell: Cell
    levels: int
    sample: Int64Array
    label: Int64Array
    predicted: Int64Array
    target: Int64Array
    """The class that the attack wanted, -1 for any but the label."""
    linf: Int64Array
    crc: Int64Array
    raw: tuple[bytes | None, ...]
    outputs: int
    """Numbers in an output: of one byte each in ``raw`` (int8), or of two (int16)."""
    l2: FloatArray
    l1: FloatArray
    """NaN where it was not recorded."""
    l0: Int64Array
    unsnapped: FloatArray
    failed: BoolArray

    @property
    def right(self) -> BoolArray:
        """Which predictions equal their label, bool [n]."""
        return np.asarray(self.predicted == self.label, dtype=np.bool_)

    def size(self, norm: str, steps: int) -> NDArray[np.float64]:
        """How far each sample was moved, [n], on an input grid of so many ``steps``.

        In multiples of the input range, L0 in elements; an L1 that was not recorded is infinite.
        """
        if norm == "linf":
            return self.linf.astype(np.float64) / steps
        if norm == "l0":
            return self.l0.astype(np.float64)
        if norm == "l1":
            return np.nan_to_num(self.l1.astype(np.float64), nan=np.inf)
        return self.l2.astype(np.float64)


Groups = dict[Cell, dict[str, Group]]


def groups(table: pa.Table) -> Groups:
    """The records by cell and rung: the sweep's order, then the ladder's.

    Raises UsageError on a doubled record.
    """
    columns = {
        name: table[name].to_numpy()
        for name in ("eps", "seed", "levels", "linf", "sample", "label")
    }
    for name in ("predicted", "target", "input_crc", "l0"):
        columns[name] = table[name].to_numpy()
    floats = {name: table[name].to_numpy() for name in ("l2", "l1", "unsnapped")}
    failed = table["failed"].to_numpy()
    raw = np.empty(len(table), dtype=object)
    raw[:] = table["raw"].to_pylist()
    codes = []
    names = {}
    for name in ("rung", "attack", "source"):
        encoded = table[name].combine_chunks().dictionary_encode()
        codes.append(encoded.indices.to_numpy())
        names[name] = encoded.dictionary.to_pylist()
    order = np.lexsort(
        (columns["sample"], codes[0], columns["seed"], columns["eps"], codes[2], codes[1])
    )
    keys = np.stack([*codes, columns["eps"], columns["seed"]])[:, order]
    found: Groups = {}
    ends = np.flatnonzero(np.any(keys[:, 1:] != keys[:, :-1], axis=0)) + 1
    for rows in np.split(order, ends) if len(table) else []:
        at = rows[0]
        rung, attack, source = (
            names[n][c[at]] for n, c in zip(("rung", "attack", "source"), codes, strict=True)
        )
        cell = Cell(attack, source, float(columns["eps"][at]), int(columns["seed"][at]))
        ints = {name: columns[name][rows].astype(np.int64) for name in columns if name != "eps"}
        if np.any(np.diff(ints["sample"]) == 0):
            raise UsageError(
                f"records: {rung} answered a sample of {attack}/{source} eps {cell.eps:g} twice"
            )
        found.setdefault(cell, {})[rung] = Group(
            rung,
            cell,
            int(ints["levels"][0]),
            ints["sample"],
            ints["label"],
            ints["predicted"],
            ints["target"],
            ints["linf"],
            ints["input_crc"],
            tuple(raw[rows]),
            len(table["logits"][int(at)]),
            floats["l2"][rows],
            floats["l1"][rows].astype(np.float32),
            ints["l0"],
            floats["unsnapped"][rows],
            failed[rows],
        )
    return {
        cell: dict(sorted(found[cell].items(), key=lambda item: rank(item[0]))) for cell in found
    }


def rank(rung: str) -> int:
    """Position on the ladder; an unknown rung comes last."""
    return RUNG_ORDER.index(rung) if rung in RUNG_ORDER else len(RUNG_ORDER)
