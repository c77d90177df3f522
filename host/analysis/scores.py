"""Do a device's rounded scores agree with the oracle's outputs?

For devices that answer three decimals, no bytes.

Pure. The published harness prints scores to nearest, some reference firmware cuts the rest off: one
of the two must hold for the whole run, and the agreement says which.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import FloatArray, Int64Array
from tinyrobust.host.analysis.divergence import DEVICES, ORACLE

KEY = ("attack", "source", "eps", "seed", "sample")
NEAREST, CUT = "rounded to three decimals", "cut off after three decimals"


@dataclass(frozen=True)
class ScoreAgreement:
    """A device's scores against the oracle's over the whole run, in thousandths."""

    rung: str
    samples: int
    scores: int
    differing_samples: int
    differing_scores: int
    largest: int
    """Largest difference of one score, in thousandths."""
    first: str
    """Where the first difference is; empty if none."""
    rounding: str
    """``NEAREST`` or ``CUT``: the one of the two that fewer scores contradict."""
    ties: int
    """Samples whose highest score several classes share: the first of them was counted as the
    prediction.
    """
    input_mismatches: int
    """Samples left out because the two were not fed the same bytes (CRC)."""


def agreements(table: pa.Table) -> list[ScoreAgreement]:
    """Each device that answered scores instead of bytes, against the oracle.

    Empty where there is none of either.
    """
    found = []
    for rung in DEVICES:
        mine = table.filter(pc.and_(pc.equal(table["rung"], rung), pc.is_null(table["raw"])))
        theirs = table.filter(pc.equal(table["rung"], ORACLE))
        if len(mine) and len(theirs):
            found.append(_agreement(rung, mine, theirs))
    return found


def nearest(real: FloatArray) -> Int64Array:
    """Thousandths as ``printf("%.3f")`` gives them: to nearest, ties of the float32 to even."""
    thousandths: Int64Array = np.rint(real.astype(np.float64) * 1000).astype(np.int64)
    return thousandths


def cut(real: FloatArray) -> Int64Array:
    """Thousandths as the reference firmware of keyword spotting has them: cut, in float32."""
    thousandths: Int64Array = np.trunc(real * np.float32(1000)).astype(np.int64)
    return thousandths


def _agreement(rung: str, mine: pa.Table, theirs: pa.Table) -> ScoreAgreement:
    at, oracle_at = _pairs(mine, theirs)
    alike = mine["input_crc"].to_numpy()[at] == theirs["input_crc"].to_numpy()[oracle_at]
    at, oracle_at = at[alike], oracle_at[alike]
    said, real = _logits(mine, rung)[at], _logits(theirs, ORACLE)[oracle_at]
    if said.shape != real.shape:
        raise UsageError(
            f"records: {rung} answers {said.shape[1]} scores, {ORACLE} has {real.shape[1]}"
        )
    scores = nearest(said)
    gaps = {
        name: np.abs(scores - rounded(real)) for name, rounded in ((NEAREST, nearest), (CUT, cut))
    }
    rounding = min(gaps, key=lambda name: np.count_nonzero(gaps[name]))
    gap = gaps[rounding]
    wrong = np.flatnonzero(np.any(gap > 0, axis=1))
    top = scores == scores.max(axis=1, keepdims=True, initial=np.iinfo(np.int64).min)
    return ScoreAgreement(
        rung=rung,
        samples=len(gap),
        scores=int(gap.size),
        differing_samples=len(wrong),
        differing_scores=int(np.count_nonzero(gap)),
        largest=int(gap.max(initial=0)),
        first=_where(mine, int(at[wrong[0]])) if len(wrong) else "",
        rounding=rounding,
        ties=int(np.count_nonzero(top.sum(axis=1) > 1)),
        input_mismatches=int(np.count_nonzero(~alike)),
    )


def _pairs(mine: pa.Table, theirs: pa.Table) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row numbers of what both answered, in the order of ``mine``."""
    rows = {key: at for at, key in enumerate(_keys(theirs))}
    both = [(at, rows[key]) for at, key in enumerate(_keys(mine)) if key in rows]
    pairs = np.array(both, np.intp).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _keys(table: pa.Table) -> list[tuple[object, ...]]:
    return list(zip(*(table[name].to_pylist() for name in KEY), strict=True))


def _logits(table: pa.Table, rung: str) -> FloatArray:
    column = table["logits"].combine_chunks()
    flat = column.flatten().to_numpy().astype(np.float32)
    if len(flat) % len(table) or len(set(pc.list_value_length(column).to_pylist())) != 1:
        raise UsageError(f"records: {rung} has outputs of several lengths")
    return np.asarray(flat.reshape(len(table), -1), np.float32)


def _where(table: pa.Table, row: int) -> str:
    attack, source, eps, _, sample = (table[name][row].as_py() for name in KEY)
    return f"{attack}/{source} eps {eps:.4g} sample {sample}"
