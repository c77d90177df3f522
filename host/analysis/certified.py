"""Certificates to shares, and against a run: what is proven cannot have been turned.

Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tinyrobust.core.stats import wilson
from tinyrobust.host.records.certificates.schema import Certificate


@dataclass(frozen=True)
class Interval:
    """A share of n samples with its 95 % Wilson interval."""

    share: float
    low: float
    high: float

    @classmethod
    def of(cls, count: int, n: int) -> Interval:
        """``count`` of ``n``, which is above 0."""
        return cls(count / n, *wilson(count, n))

    def __str__(self) -> str:
        return f"{100 * self.share:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}]"


@dataclass(frozen=True)
class Certified:
    """The figures of one box."""

    levels: int
    n: int
    clean: Interval
    certified: Interval
    broken: int
    undecided: int
    seconds: float
    """A sample, on average."""


@dataclass(frozen=True)
class Turned:
    """A sample that an attack of a run turned on one rung, by so many levels."""

    sample: int
    linf: int
    attack: str
    source: str
    rung: str


@dataclass(frozen=True)
class Contradiction:
    """A certificate that an attack broke: one of the two is wrong."""

    certificate: Certificate
    turned: Turned

    def __str__(self) -> str:
        row, by = self.certificate, self.turned
        return (
            f"sample {row.sample} is certified at {row.levels} levels, but {by.attack} from "
            f"{by.source} turned it on {by.rung} by {by.linf}"
        )


def summarise(levels: int, rows: Sequence[Certificate]) -> Certified:
    """The figures of the rows of one box, at least one."""
    count = Counter(row.status for row in rows)
    n = len(rows)
    return Certified(
        levels,
        n,
        Interval.of(n - count["wrong"], n),
        Interval.of(count["certified"], n),
        count["broken"],
        count["undecided"],
        sum(row.seconds for row in rows) / n,
    )


def turned(table: pa.Table, rung: str) -> dict[int, Turned]:
    """Of each sample that some attack turned on ``rung``, the smallest of those perturbations.

    In levels of what reached the network (``linf``), whatever norm the attack was given.
    """
    names = ("rung", "attack", "source")
    text = {name: table[name].to_numpy(zero_copy_only=False) for name in names}
    numbers = {name: table[name].to_numpy() for name in ("sample", "label", "predicted", "linf")}
    fooled = (text["rung"] == rung) & (numbers["predicted"] != numbers["label"])
    found: dict[int, Turned] = {}
    for i in np.flatnonzero(fooled & (numbers["label"] >= 0)):
        sample, linf = int(numbers["sample"][i]), int(numbers["linf"][i])
        if sample not in found or linf < found[sample].linf:
            found[sample] = Turned(sample, linf, text["attack"][i], text["source"][i], rung)
    return found


def contradictions(rows: Iterable[Certificate], found: dict[int, Turned]) -> list[Contradiction]:
    """Certificates that an attack broke at their levels or below."""
    pairs = ((row, found[row.sample]) for row in rows if row.sample in found)
    return [
        Contradiction(row, by)
        for row, by in pairs
        if row.status == "certified" and by.linf <= row.levels
    ]
