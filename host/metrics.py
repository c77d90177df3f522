"""From records to figures: accuracy, agreement, divergence from the oracle, and where along the ladder accuracy goes.

Pure: a Parquet table in, frozen dataclasses out. No model, no board, no TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from host.records import Manifest
from host.stats import mcnemar, paired_difference, wilson
from host.types import BoolArray, Cell, Int64Array, UsageError

LADDER = ("float32", "qat", "twin", "tflm", "native", "board")
"""Rungs in order, from the full-precision model to the chip."""

ORACLE = "tflm"
"""The rung every integer rung must equal byte for byte."""

DEVICES = ("native", "board")
"""Rungs that run our firmware."""

STEPS = 255
"""Lattice steps of the int8 input range: ``levels / STEPS`` is an eps."""


@dataclass(frozen=True)
class SummaryRow:
    """One rung on one cell of the sweep. Shares are 0..1; None where the quantity does not exist."""

    rung: str
    attack: str
    source: str
    eps: float
    """Requested Linf budget, fraction of the input range."""
    seed: int
    levels: int
    """The budget in whole int8 levels."""
    eps_reached_max: float
    """Largest perturbation that reached the chip, fraction of the input range."""
    eps_reached_mean: float
    n: int
    correct: int | None
    """None where the data has no labels, as all figures of accuracy."""
    accuracy: float | None
    low: float | None
    """Wilson interval, 95 %."""
    high: float | None
    agree_float32: float | None
    """Share of predictions equal to that rung's."""
    agree_qat: float | None
    agree_tflm: float | None
    differing_samples: int | None
    """Samples whose output bytes are not the oracle's."""
    differing_bytes: int | None


@dataclass(frozen=True)
class Step:
    """What one step of the ladder does to the accuracy on one cell, on the samples both rungs answered."""

    attack: str
    source: str
    eps: float
    seed: int
    upper: str
    lower: str
    n: int
    upper_accuracy: float
    lower_accuracy: float
    lost: int
    """Right on ``upper``, wrong on ``lower``."""
    gained: int
    difference: float
    """``lower_accuracy - upper_accuracy``: negative is a loss."""
    low: float
    """95 % interval of the difference, paired."""
    high: float
    p_value: float
    """McNemar, exact."""


@dataclass(frozen=True)
class Divergence:
    """A device rung against the oracle over the whole run."""

    rung: str
    samples: int
    """Outputs compared."""
    bytes: int
    differing_samples: int
    differing_bytes: int
    largest: int
    """Largest difference of one output byte, in levels."""
    first: str
    """Where the first difference is; empty if none."""
    input_mismatches: int
    """Outputs left out because the two rungs were not fed the same bytes (CRC)."""


@dataclass(frozen=True)
class Group:
    """All predictions of one rung on one cell, sorted by sample."""

    rung: str
    cell: Cell
    levels: int
    sample: Int64Array
    label: Int64Array
    predicted: Int64Array
    linf: Int64Array
    crc: Int64Array
    raw: tuple[bytes | None, ...]

    @property
    def right(self) -> BoolArray:
        """Which predictions equal their label, bool [n]."""
        return np.asarray(self.predicted == self.label, dtype=np.bool_)


Groups = dict[Cell, dict[str, Group]]


def groups(table: pa.Table) -> Groups:
    """The records by cell and rung: the sweep's order, then the ladder's. Raises UsageError on a doubled record."""
    columns = {name: table[name].to_numpy() for name in ("eps", "seed", "levels", "linf", "sample", "label")}
    columns |= {name: table[name].to_numpy() for name in ("predicted", "input_crc")}
    raw = np.empty(len(table), dtype=object)
    raw[:] = table["raw"].to_pylist()
    codes = []
    names = {}
    for name in ("rung", "attack", "source"):
        encoded = table[name].combine_chunks().dictionary_encode()
        codes.append(encoded.indices.to_numpy())
        names[name] = encoded.dictionary.to_pylist()
    order = np.lexsort((columns["sample"], codes[0], columns["seed"], columns["eps"], codes[2], codes[1]))
    keys = np.stack([*codes, columns["eps"], columns["seed"]])[:, order]
    starts = np.flatnonzero(np.r_[True, np.any(keys[:, 1:] != keys[:, :-1], axis=0)]) if len(table) else []
    found: Groups = {}
    for rows in np.split(order, starts[1:]) if len(table) else []:
        at = rows[0]
        rung, attack, source = (names[n][c[at]] for n, c in zip(("rung", "attack", "source"), codes, strict=True))
        cell = Cell(attack, source, float(columns["eps"][at]), int(columns["seed"][at]))
        ints = {name: columns[name][rows].astype(np.int64) for name in columns if name != "eps"}
        if np.any(np.diff(ints["sample"]) == 0):
            raise UsageError(f"records: {rung} answered a sample of {attack}/{source} eps {cell.eps:g} twice")
        found.setdefault(cell, {})[rung] = Group(
            rung,
            cell,
            int(ints["levels"][0]),
            ints["sample"],
            ints["label"],
            ints["predicted"],
            ints["linf"],
            ints["input_crc"],
            tuple(raw[rows]),
        )
    return {cell: dict(sorted(found[cell].items(), key=lambda item: rank(item[0]))) for cell in found}


def rank(rung: str) -> int:
    """Position on the ladder; an unknown rung comes last."""
    return LADDER.index(rung) if rung in LADDER else len(LADDER)


def attack_order(manifest: Manifest) -> dict[str, int]:
    """Position of each attack: the order the run was asked for, the clean set first."""
    return {name: at for at, name in enumerate(("clean", *(a for a in manifest.attacks if a != "clean")))}


def summarise(table: pa.Table, manifest: Manifest) -> list[SummaryRow]:
    """One row per rung and cell: the run's order of attacks, then source, seed, eps and ladder."""
    order = attack_order(manifest)
    rows = [_row(group, rungs) for rungs in groups(table).values() for group in rungs.values()]
    return sorted(
        rows, key=lambda r: (order.get(r.attack, len(order)), r.attack, r.source, r.seed, r.eps, rank(r.rung))
    )


def _row(group: Group, rungs: dict[str, Group]) -> SummaryRow:
    n = len(group.sample)
    labelled = bool(np.all(group.label >= 0))
    correct = int(group.right.sum()) if labelled else None
    low, high = wilson(correct, n) if correct is not None else (None, None)
    against = compare_bytes(group, rungs[ORACLE]) if group.rung != ORACLE and ORACLE in rungs else None
    return SummaryRow(
        rung=group.rung,
        attack=group.cell.attack,
        source=group.cell.source,
        eps=group.cell.eps,
        seed=group.cell.seed,
        levels=group.levels,
        eps_reached_max=float(group.linf.max()) / STEPS,
        eps_reached_mean=float(group.linf.mean()) / STEPS,
        n=n,
        correct=correct,
        accuracy=correct / n if correct is not None else None,
        low=low,
        high=high,
        agree_float32=agreement(group, rungs.get("float32")),
        agree_qat=agreement(group, rungs.get("qat")),
        agree_tflm=agreement(group, rungs.get(ORACLE)),
        differing_samples=against.differing_samples if against else None,
        differing_bytes=against.differing_bytes if against else None,
    )


def agreement(group: Group, other: Group | None) -> float | None:
    """Share of samples, among those both answered, with the same prediction. None where there is none to compare."""
    if other is None or other is group:
        return None
    _, mine, theirs = np.intersect1d(group.sample, other.sample, assume_unique=True, return_indices=True)
    if not len(mine):
        return None
    return float(np.mean(group.predicted[mine] == other.predicted[theirs]))


def compare_bytes(group: Group, oracle: Group) -> Divergence | None:
    """Output bytes of two rungs on one cell, over the samples both answered. None if a rung has no integer outputs."""
    samples, mine, theirs = np.intersect1d(group.sample, oracle.sample, assume_unique=True, return_indices=True)
    fed_alike = group.crc[mine] == oracle.crc[theirs]
    samples, mine, theirs = samples[fed_alike], mine[fed_alike], theirs[fed_alike]
    left, right = [group.raw[i] for i in mine], [oracle.raw[i] for i in theirs]
    ours, reference = [r for r in left if r is not None], [r for r in right if r is not None]
    if not len(samples) or len(ours) != len(samples) or len(reference) != len(samples):
        return None
    widths = {len(r) for r in ours} | {len(r) for r in reference}
    if len(widths) != 1:
        raise UsageError(f"records: {group.rung} and {oracle.rung} have outputs of {sorted(widths)} bytes")
    shape = (len(samples), widths.pop())
    a = np.frombuffer(b"".join(ours), np.int8).reshape(shape).astype(np.int16)
    b = np.frombuffer(b"".join(reference), np.int8).reshape(shape).astype(np.int16)
    gap = np.abs(a - b)
    wrong = np.any(gap > 0, axis=1)
    cell = group.cell
    first = f"{cell.attack}/{cell.source} eps {cell.eps:.4g} sample {samples[wrong][0]}" if wrong.any() else ""
    return Divergence(
        rung=group.rung,
        samples=len(samples),
        bytes=int(gap.size),
        differing_samples=int(wrong.sum()),
        differing_bytes=int((gap > 0).sum()),
        largest=int(gap.max(initial=0)),
        first=first,
        input_mismatches=int((~fed_alike).sum()),
    )


def divergences(table: pa.Table) -> list[Divergence]:
    """Each device rung against the oracle, over every cell. Empty if the run has no oracle or no device."""
    parts: dict[str, list[Divergence]] = {}
    for rungs in groups(table).values():
        for rung in DEVICES:
            part = compare_bytes(rungs[rung], rungs[ORACLE]) if rung in rungs and ORACLE in rungs else None
            if part is not None:
                parts.setdefault(rung, []).append(part)
    return [
        Divergence(
            rung=rung,
            samples=sum(p.samples for p in found),
            bytes=sum(p.bytes for p in found),
            differing_samples=sum(p.differing_samples for p in found),
            differing_bytes=sum(p.differing_bytes for p in found),
            largest=max(p.largest for p in found),
            first=next((p.first for p in found if p.first), ""),
            input_mismatches=sum(p.input_mismatches for p in found),
        )
        for rung, found in parts.items()
    ]


def attribution(table: pa.Table, manifest: Manifest) -> list[Step]:
    """The change of accuracy between neighbouring rungs of each cell; empty for data without labels."""
    order = attack_order(manifest)
    steps = []
    for rungs in groups(table).values():
        present = list(rungs.values())
        for upper, lower in zip(present, present[1:], strict=False):
            step = _step(upper, lower)
            if step is not None:
                steps.append(step)
    return sorted(
        steps, key=lambda s: (order.get(s.attack, len(order)), s.attack, s.source, s.seed, s.eps, rank(s.upper))
    )


def _step(upper: Group, lower: Group) -> Step | None:
    _, high, low = np.intersect1d(upper.sample, lower.sample, assume_unique=True, return_indices=True)
    if not len(high) or np.any(upper.label[high] < 0):
        return None
    before, after = upper.right[high], lower.right[low]
    n, lost, gained = len(high), int(np.sum(before & ~after)), int(np.sum(~before & after))
    least, most = paired_difference(lost, gained, n)
    cell = upper.cell
    return Step(
        attack=cell.attack,
        source=cell.source,
        eps=cell.eps,
        seed=cell.seed,
        upper=upper.rung,
        lower=lower.rung,
        n=n,
        upper_accuracy=float(before.mean()),
        lower_accuracy=float(after.mean()),
        lost=lost,
        gained=gained,
        difference=(gained - lost) / n,
        low=least,
        high=most,
        p_value=mcnemar(lost, gained),
    )
