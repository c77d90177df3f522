"""Samples of a data set, decided one box each by ever dearer methods."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyrobust.core.types import Int64Array, IntArray
from tinyrobust.models.bounds.certifier import MOST_LINEAR, Certifier, Method
from tinyrobust.models.bounds.clamps.search import ClampSearch
from tinyrobust.models.bounds.split import Search, Status, corners, search

AUTO = "auto"
METHODS = (AUTO, *(method.value for method in Method))
SPLIT = "split"
_FEW_INPUTS = 16
"""Elements of the input up to which it is halved itself."""
Searcher = Callable[[IntArray, IntArray, int, float], Search]
"""Decides a box (low, high, label) within about so many seconds."""
_AT_ONCE = {Method.INTERVAL: 512, Method.CROWN_IBP: 128, Method.LINEAR: 16}
"""Samples that are taken on together."""


@dataclass(frozen=True)
class Verdict:
    """What was found out about sample ``sample``, an index into those that were given."""

    sample: int
    predicted: int
    status: Status
    method: str
    """What settled it, or was the last that tried: a ``Method``, ``split``, or ``-``."""
    seconds: float


def methods_for(name: str, certifier: Certifier) -> tuple[Method, ...]:
    """The methods of ``--method``, cheapest first.

    ``auto`` takes all of them, linear bounds only where they cost at most ``MOST_LINEAR``.
    """
    if name != AUTO:
        return (Method(name),)
    cheap = (Method.INTERVAL, Method.CROWN_IBP)
    return (*cheap, Method.LINEAR) if certifier.cost <= MOST_LINEAR else cheap


def searcher(certifier: Certifier, methods: Sequence[Method]) -> Searcher:
    """Branch and bound for this network: over its input where that is small, else over clamps.

    Clamps are cut where there are linear bounds among ``methods``; intervals know nothing of them.
    """
    dearest = methods[-1]
    if certifier.network.input_size <= _FEW_INPUTS or dearest is Method.INTERVAL:
        return lambda low, high, label, seconds: search(
            certifier, low, high, label, dearest, seconds
        )
    return ClampSearch(certifier, queries=dearest is Method.LINEAR)


def box(q: IntArray, levels: int) -> tuple[IntArray, IntArray]:
    """All points at most ``levels`` from ``q`` in every element, as far as the grid goes."""
    wide = q.astype(np.int16)
    low, high = (np.clip(wide + by, -128, 127).astype(np.int8) for by in (-levels, levels))
    return low, high


def decide(
    certifier: Certifier,
    q: IntArray,
    labels: Int64Array,
    levels: int,
    methods: Sequence[Method],
    budget: float,
    search: Searcher,
) -> Iterator[list[Verdict]]:
    """Verdicts about all samples, int8 [n, *shape], a few at a time, as soon as they are there.

    ``budget`` is for a ``search`` in the boxes of undecided ones, in seconds a sample.
    """
    together = _AT_ONCE[methods[-1]]
    for start in range(0, len(q), together):
        part = slice(start, start + together)
        for verdicts in _together(
            certifier, q[part], labels[part], levels, methods, budget, search
        ):
            yield [
                Verdict(start + v.sample, v.predicted, v.status, v.method, v.seconds)
                for v in verdicts
            ]


def _together(
    certifier: Certifier,
    q: IntArray,
    labels: Int64Array,
    levels: int,
    methods: Sequence[Method],
    budget: float,
    search: Searcher,
) -> Iterator[list[Verdict]]:
    began = time.perf_counter()
    predicted = certifier.predict(q)
    spent = np.full(len(q), (time.perf_counter() - began) / len(q))

    def verdict(i: int | np.integer[Any], status: Status, method: str) -> Verdict:
        return Verdict(int(i), int(predicted[i]), status, method, float(spent[i]))

    right = predicted == labels
    yield [verdict(i, Status.WRONG, "-") for i in np.flatnonzero(~right)]
    left = np.flatnonzero(right)
    low, high = box(q, levels)
    for method in methods:
        if not len(left):
            return
        began = time.perf_counter()
        bounds = certifier.bound(low[left], high[left], labels[left], method)
        asked = corners(low[left], high[left], bounds)
        turned = ~bounds.proven & (certifier.predict(asked) != labels[left])
        spent[left] += (time.perf_counter() - began) / len(left)
        yield [
            *(verdict(i, Status.CERTIFIED, method.value) for i in left[bounds.proven]),
            *(verdict(i, Status.BROKEN, method.value) for i in left[turned]),
        ]
        left = left[~bounds.proven & ~turned]
    if not budget:
        yield [verdict(i, Status.UNDECIDED, methods[-1].value) for i in left]
        return
    for i in left:
        began = time.perf_counter()
        end = search(low[i], high[i], int(labels[i]), budget)
        spent[i] += time.perf_counter() - began
        yield [verdict(i, end.status, SPLIT)]
