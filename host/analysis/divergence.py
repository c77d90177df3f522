"""Do the device and the oracle agree on every byte?

One that differs is a finding, never averaged away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tinyrobust.core.errors import UsageError
from tinyrobust.host.analysis.groups import Group, groups

ORACLE = "tflm"
"""The rung every integer rung must equal byte for byte."""

DEVICES = ("native", "board")
"""Rungs that run our firmware."""

EXACT = (*DEVICES, "twin")
"""Rungs that must equal the oracle; where the twin does not, attacks made on it are aimed at
another network.
"""


@dataclass(frozen=True)
class Divergence:
    """An exact rung against the oracle over the whole run."""

    rung: str
    samples: int
    """Outputs compared."""
    bytes: int
    differing_samples: int
    differing_bytes: int
    largest: int
    """Largest difference of one output, in levels of its type."""
    first: str
    """Where the first difference is; empty if none."""
    input_mismatches: int
    """Outputs left out because the two rungs were not fed the same bytes (CRC)."""


def compare_bytes(group: Group, oracle: Group) -> Divergence | None:
    """Output bytes of two rungs on one cell, over the samples both answered.

    None if a rung has no integer outputs.

    Raises UsageError where the outputs differ in length.
    """
    samples, mine, theirs = np.intersect1d(
        group.sample, oracle.sample, assume_unique=True, return_indices=True
    )
    ours = [raw for raw in (group.raw[i] for i in mine) if raw is not None]
    reference = [raw for raw in (oracle.raw[i] for i in theirs) if raw is not None]
    if not len(samples) or len(ours) != len(samples) or len(reference) != len(samples):
        return None
    widths = {len(raw) for raw in ours + reference}
    if len(widths) != 1:
        raise UsageError(
            f"records: {group.rung} and {oracle.rung} have outputs of {sorted(widths)} bytes"
        )
    width = widths.pop()
    fed_alike = group.crc[mine] == oracle.crc[theirs]
    sides = [b"".join(raws) for raws in (ours, reference)]
    a, b = (
        np.frombuffer(side, "<i2" if width == 2 * group.outputs else "i1").astype(np.int32)
        for side in sides
    )
    gap = np.abs(a - b).reshape(len(samples), -1)[fed_alike]
    as_bytes = [
        np.frombuffer(side, np.uint8).reshape(len(samples), width)[fed_alike] for side in sides
    ]
    wrong = np.any(gap > 0, axis=1)
    cell = group.cell
    where = f"{cell.attack}/{cell.source} eps {cell.eps:.4g} sample"
    return Divergence(
        rung=group.rung,
        samples=len(gap),
        bytes=len(gap) * width,
        differing_samples=int(wrong.sum()),
        differing_bytes=int((as_bytes[0] != as_bytes[1]).sum()),
        largest=int(gap.max(initial=0)),
        first=f"{where} {samples[fed_alike][wrong][0]}" if wrong.any() else "",
        input_mismatches=int((~fed_alike).sum()),
    )


def divergences(table: pa.Table) -> list[Divergence]:
    """Each exact rung against the oracle, over every cell; devices first.

    Empty if the run has no oracle.
    """
    parts: dict[str, list[Divergence]] = {}
    for rungs in groups(table).values():
        for rung in EXACT:
            part = (
                compare_bytes(rungs[rung], rungs[ORACLE])
                if rung in rungs and ORACLE in rungs
                else None
            )
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
