"""Robust accuracy between two bounds: what is certified, and what no attack of the run turned.

Both are shares of the same samples on the rung that is flashed: from below those that are proven
to stand under every perturbation of so many levels, from above those that neither an attack of the
run nor the certifier's own search turned. What lies between them is not known. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tinyrobust.host.analysis.certified import (
    Contradiction,
    Interval,
    Turned,
    contradictions,
    turned,
)
from tinyrobust.host.analysis.metrics import STEPS
from tinyrobust.host.analysis.worst_case import answered
from tinyrobust.host.records.certificates.read import Certified
from tinyrobust.host.records.certificates.schema import Certificate


@dataclass(frozen=True)
class Band:
    """Robust accuracy of n samples at one Linf budget lies between two shares."""

    levels: int
    """Of the input, in every element."""
    rung: str
    """What is flashed."""
    n: int
    clean: Interval
    certified: Interval
    """Proven to stand."""
    standing: Interval
    """Turned by nothing that was tried."""

    @property
    def eps(self) -> str:
        """The budget as a fraction of the input range, ``4/255``."""
        return f"{self.levels}/{STEPS}"

    def __str__(self) -> str:
        low, high = 100 * self.certified.share, 100 * self.standing.share
        return f"robust at {self.eps}: between {low:.1f} and {high:.1f} %, n = {self.n:,}"


@dataclass(frozen=True)
class Bands:
    """What certificates and attacks say together of one run."""

    method: str
    """Of the certificates, with its budget where it has one."""
    bands: tuple[Band, ...]
    """Smallest budget first."""
    contradictions: tuple[Contradiction, ...]
    """Certificates that an attack of the run broke: either the bounds or the run are wrong."""


def bands(table: pa.Table, given: Certified | None) -> Bands | None:
    """The bands of a run with the certificates that it was ``given``; None without any.

    At every number of levels that was certified, over the samples that have a certificate there,
    a label, and an answer of every rung on every cell.
    """
    if given is None:
        return None
    all_ = answered(table)
    if all_ is None:
        return None
    rung, shared = all_.rungs[-1], set(all_.samples.tolist())
    found = turned(table, rung)
    boxes: dict[int, list[Certificate]] = defaultdict(list)
    for row in given.rows:
        if row.sample in shared:
            boxes[row.levels].append(row)
    made = (_band(levels, rung, rows, found) for levels, rows in sorted(boxes.items()))
    subject = given.subject
    budget = f", {subject.budget:g} s of branch and bound a sample" if subject.budget else ""
    return Bands(f"{subject.method}{budget}", tuple(made), tuple(contradictions(given.rows, found)))


def _band(levels: int, rung: str, rows: Sequence[Certificate], found: dict[int, Turned]) -> Band:
    n = len(rows)
    linf = np.array([found[row.sample].linf if row.sample in found else STEPS + 1 for row in rows])
    status = np.array([row.status for row in rows])
    stands = (linf > levels) & (status != "broken") & (status != "wrong")
    return Band(
        levels,
        rung,
        n,
        clean=Interval.of(int((linf > 0).sum()), n),
        certified=Interval.of(int((status == "certified").sum()), n),
        standing=Interval.of(int(stands.sum()), n),
    )
