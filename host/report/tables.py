"""The figures of a run as comma-separated values."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable, Iterator, Sequence

from tinyrobust.core.plain import printable
from tinyrobust.host.analysis.distances import Distances, quartiles
from tinyrobust.host.analysis.metrics import STEPS, SummaryRow
from tinyrobust.host.analysis.worst_case import WORST_CASE, WorstCase

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a formula begins with in a spreadsheet; the last four are the first four in full width."""
_SIZES = ("l0", "l1", "l2", "l2_levels", "linf", "linf_levels")


def summary_csv(rows: Sequence[SummaryRow], worst: Sequence[WorstCase] = ()) -> str:
    """``summary.csv``: one line for every rung on every cell, columns as SummaryRow's.

    First, as the attack ``worst-case``, one for every rung at every budget of ``worst``; columns
    that say nothing of it are empty there.
    """
    columns = [field.name for field in dataclasses.fields(SummaryRow)]
    lines = (line for one in worst for line in _worst_lines(one, columns))
    return _csv(columns, (*lines, *map(dataclasses.astuple, rows)))


def _worst_lines(one: WorstCase, columns: Sequence[str]) -> Iterator[tuple[object, ...]]:
    for rung in one.ladder:
        said = {
            "rung": rung.rung,
            "attack": WORST_CASE,
            "source": "-",
            "eps": one.eps,
            "norm": one.norm,
            "minimises": False,
            "n": rung.n,
            "correct": rung.standing,
            "accuracy": rung.accuracy,
            "low": rung.low,
            "high": rung.high,
        }
        yield tuple(said.get(name) for name in columns)


def distances_csv(found: Sequence[Distances]) -> str:
    """``distances.csv``: quartiles of the distance to the boundary on every rung.

    A quartile that was not reached is empty.

    ``l0`` in elements; ``l1``, ``l2`` and ``linf`` in multiples of the input range, the latter two
    in 1/255 of it (``_levels``, an int8 input's), too.
    """
    head = ("rung", "attack", "source", "seed", "norm", "n", "reached", "share")
    cuts = [f"{size}_{cut}" for size in _SIZES for cut in ("q25", "median", "q75")]
    return _csv((*head, *cuts), map(_line, found))


def _line(one: Distances) -> tuple[object, ...]:
    sizes = (one.l0, one.l1, one.l2, one.l2 * STEPS, one.linf, one.linf * STEPS)
    cuts = [cut for size in sizes for cut in dataclasses.astuple(quartiles(size))]
    return (
        one.rung,
        one.attack,
        one.source,
        one.seed,
        one.norm,
        one.n,
        one.reached,
        one.reached / one.n,
        *cuts,
    )


def _csv(head: Iterable[str], lines: Iterable[tuple[object, ...]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(tuple(map(_cell, line)) for line in lines)
    return out.getvalue()


def _cell(value: object) -> object:
    """A cell of a table, quoted where a spreadsheet would compute it (OWASP, CSV injection).

    Numbers stay numbers.

    ``-`` alone, where an attack was made on nothing, computes nothing.
    """
    if not isinstance(value, str):
        return value
    return (
        f"'{printable(value)}" if value.startswith(FORMULA) and value != "-" else printable(value)
    )
