"""The figures of a run as comma-separated values."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable, Iterator, Sequence

from tinyrobust.core.plain import printable
from tinyrobust.host.analysis.band import Band, Bands
from tinyrobust.host.analysis.distances import Distances, quartiles
from tinyrobust.host.analysis.metrics import STEPS, SummaryRow
from tinyrobust.host.analysis.worst_case import WORST_CASE, WorstCase

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a formula begins with in a spreadsheet; the last four are the first four in full width."""
CERTIFIED, NOT_TURNED = "certified", "not-turned"
"""What stands for an attack's name on the lines of a band."""
_SIZES = ("l0", "l1", "l2", "l2_levels", "linf", "linf_levels")


def summary_csv(
    rows: Sequence[SummaryRow], worst: Sequence[WorstCase] = (), certified: Bands | None = None
) -> str:
    """``summary.csv``: one line for every rung on every cell, columns as SummaryRow's.

    First, as the attack ``worst-case``, one for every rung at every budget of ``worst``; then the
    two bounds of every band of ``certified``, as the attacks ``certified`` and ``not-turned``.
    Columns that say nothing of these are empty there.
    """
    columns = [field.name for field in dataclasses.fields(SummaryRow)]
    heads = [said for one in worst for said in _worst_lines(one)]
    heads += [said for one in (certified.bands if certified else ()) for said in _band_lines(one)]
    lines = (tuple(said.get(name) for name in columns) for said in heads)
    return _csv(columns, (*lines, *map(dataclasses.astuple, rows)))


def _worst_lines(one: WorstCase) -> Iterator[dict[str, object]]:
    for rung in one.ladder:
        share = (rung.accuracy, rung.low, rung.high)
        yield _head(rung.rung, WORST_CASE, one.norm, one.eps, rung.n, share) | {
            "correct": rung.standing
        }


def _band_lines(one: Band) -> Iterator[dict[str, object]]:
    for name, bound in ((CERTIFIED, one.certified), (NOT_TURNED, one.standing)):
        share = (bound.share, bound.low, bound.high)
        yield _head(one.rung, name, "linf", one.levels / STEPS, one.n, share) | {
            "levels": one.levels,
            "correct": round(bound.share * one.n),
        }


def _head(
    rung: str, name: str, norm: str, eps: float, n: int, share: tuple[float, float, float]
) -> dict[str, object]:
    """A line over all attacks; ``share`` with the ends of its interval."""
    accuracy, low, high = share
    return {
        "rung": rung,
        "attack": name,
        "source": "-",
        "eps": eps,
        "norm": norm,
        "minimises": False,
        "n": n,
        "accuracy": accuracy,
        "low": low,
        "high": high,
    }


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
