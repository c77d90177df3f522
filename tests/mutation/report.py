"""The share of mutants that no test noticed, with its interval, and each of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

from tests.mutation.results import Mutant, Outcome
from tests.mutation.table import Row

MOST_SURVIVORS = 0.1


def interval(count: int, n: int) -> tuple[float, float]:
    """95 % score interval (Wilson 1927).

    Written again here, since tinyrobust.core.stats is under mutation itself.
    """
    if n == 0:
        return 0.0, 1.0
    z, share = NormalDist().inv_cdf(0.975), count / n
    centre, half = (
        share + z * z / (2 * n),
        z * math.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2),
    )
    return max(0.0, (centre - half) / (1 + z * z / n)), min(1.0, (centre + half) / (1 + z * z / n))


def report(row: Row, drawn: Sequence[Mutant], every: int, results: Mapping[str, Outcome]) -> float:
    """Prints one part's figures; returns the share of survivors among ``results``, 1 where nothing
    was run.
    """
    alive = [
        mutant
        for mutant in drawn
        if mutant.key in results and results[mutant.key].outcome == "survived"
    ]
    n, hung = len(results), sum(found.outcome == "timeout" for found in results.values())
    low, high = interval(len(alive), n)
    print(
        f"{row.name}: {len(alive)} of {n} mutants survive, {100 * len(alive) / max(n, 1):.1f} % "
        f"[{100 * low:.1f}, {100 * high:.1f}]; {hung} never ended; "
        f"a sample of {len(drawn)} from {every}"
        + (f", {len(drawn) - n} still to run" if n < len(drawn) else ""),
        flush=True,
    )
    for mutant in sorted(alive, key=lambda m: (m.path, m.line)):
        place = f"{mutant.path}:{mutant.line}"
        print(f"  {place}  {mutant.before}\n  {' ' * len(place)}  {mutant.after}")
    return len(alive) / n if n else 1.0
