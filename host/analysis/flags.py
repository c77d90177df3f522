"""What makes an attack suspect, and what to do about it.

It is told from the attack's making and from the records together. Pure.

Accuracy under an attack is an upper bound of robustness. A flag says that the bound is likely to be
a bad one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa

from tinyrobust.core.cells import Cell, Flag, FlagKind
from tinyrobust.host.analysis.distances import Distances, distances, quartiles
from tinyrobust.host.analysis.groups import Group, Groups, groups
from tinyrobust.host.records.schema import AttackKind, Manifest

ADVICE = {
    FlagKind.FAILED: (
        "read the note for the error; its samples count as clean. The same command tries them again"
    ),
    FlagKind.MASKED_GRADIENTS: (
        "attack with a margin loss (apgd-dlr), without gradients (square-linf), or by transfer"
    ),
    FlagKind.LOSS_NOT_RISING: (
        "look at the sign of the gradient and at the loss: the attack goes nowhere here"
    ),
    FlagKind.WEAKER_THAN_ONE_STEP: (
        "larger or more steps, more restarts; steps that add up to eps at the very least"
    ),
    FlagKind.NOISE_AS_STRONG: (
        "its gradients point nowhere: try --access twin, square-linf, or transfer from float32"
    ),
    FlagKind.TRANSFER_STRONGER: (
        "the source's own gradients mislead: count the transferred attack, too"
    ),
    FlagKind.BLACK_BOX_STRONGER: (
        "its gradients are masked: count the black-box attack, and more steps and restarts"
    ),
    FlagKind.BELOW_ONE_LEVEL: "ask for 1/255 at least: a smaller budget never reaches the chip",
    FlagKind.OVER_BUDGET: (
        "a study's rounding, for reproducing that study: leave --lattice study out for figures "
        "inside the budget"
    ),
    FlagKind.NOT_MONOTONE: "more steps at the larger eps; a single step overshoots: iterate",
    FlagKind.UNBOUNDED_SURVIVED: (
        "more iterations or queries: with the whole range to spend every input can be turned"
    ),
}
"""What to try, for each kind."""

CLEARLY = 3.0
"""Standard errors of a paired difference that count as one: a run makes dozens of comparisons."""

SURVIVE = 0.01
"""Share of the samples that an unbounded attack may miss."""

NEARER = 0.9
"""A black box that halves no distance, but goes below this share of the white box's, is the
stronger of the two.
"""

_ONE_NETWORK = ("twin", "tflm", "native", "board")
_BLACK = ("decisions", "scores")


def flags(table: pa.Table, manifest: Manifest) -> list[Flag]:
    """Every flag of a run, by kind and then in the order they were found."""
    found = groups(table)
    far = distances(table, manifest)
    every = [
        *manifest.flags,
        *_transfer(found, manifest),
        *_black_box(found, manifest),
        *_nearer(far, manifest),
        *_nearer_from_elsewhere(far, manifest),
        *_not_monotone(found, manifest),
        *_survived(found, far, manifest),
        *_idle(found, manifest),
    ]
    order = list(FlagKind)
    return sorted(dict.fromkeys(every), key=lambda flag: order.index(flag.kind))


def _judged(
    found: Groups, manifest: Manifest, wanted: Callable[[AttackKind], bool]
) -> Iterator[tuple[Cell, AttackKind, Group]]:
    """The cells of bounded attacks of the ``wanted`` kind, each as its own source answered it."""
    for cell, rungs in found.items():
        kind = manifest.kind(cell.attack)
        if kind is not None and not kind.minimises and wanted(kind) and cell.source in rungs:
            yield cell, kind, rungs[cell.source]


def _transfer(found: Groups, manifest: Manifest) -> Iterator[Flag]:
    """A bounded attack, whatever it asks for, against what was made elsewhere and carried over.

    Against the same attack; one that only asks also against every attack by gradients of its norm.
    """
    for cell, kind, own in _judged(found, manifest, lambda kind: kind.needs != "nothing"):
        for other, rungs in found.items():
            if (other.eps, other.seed) != (cell.eps, cell.seed) or cell.source not in rungs:
                continue
            if _same_network(other.source, cell.source):
                continue
            if not _rivals(kind, manifest.kind(other.attack)):
                continue
            from_there = rungs[cell.source]
            if clearly_fewer(from_there, own):
                which = "" if other.attack == cell.attack else f"{other.attack} "
                yield Flag(
                    FlagKind.TRANSFER_STRONGER,
                    cell,
                    f"{_share(own)} still right on {cell.source}, "
                    f"{_share(from_there)} when {which}made on {other.source}",
                )


def _rivals(own: AttackKind, other: AttackKind | None) -> bool:
    """Whether ``other``, made on another rung, ought to do no more than ``own`` on its own."""
    if other is None or other.minimises:
        return False
    asks = own.needs in _BLACK and other.needs == "gradients" and other.norm == own.norm
    return own.name == other.name or asks


def _nearer_from_elsewhere(far: list[Distances], manifest: Manifest) -> Iterator[Flag]:
    """An attack that minimises, against the same one made on another rung and carried over."""
    own = [one for one in far if one.rung == one.source]
    for one in own:
        for other in far:
            alike = (other.attack, other.rung, other.seed) == (one.attack, one.rung, one.seed)
            if not alike or _same_network(other.source, one.source):
                continue
            if _median(other) < NEARER * _median(one):
                yield Flag(
                    FlagKind.TRANSFER_STRONGER,
                    Cell(one.attack, one.source, 1.0, one.seed),
                    f"median distance {_median(one):.3g}, "
                    f"{_median(other):.3g} when made on {other.source}",
                )


def _black_box(found: Groups, manifest: Manifest) -> Iterator[Flag]:
    white = list(_judged(found, manifest, lambda kind: kind.needs == "gradients"))
    for cell, kind, black in _judged(found, manifest, lambda kind: kind.needs in _BLACK):
        rivals = [
            found[other][cell.source]
            for other, its, _ in white
            if (its.norm, other.eps, other.seed) == (kind.norm, cell.eps, cell.seed)
            and _same_network(other.source, cell.source)
            and cell.source in found[other]
        ]
        best = min(rivals, key=lambda group: int(group.right.sum()), default=None)
        if best is not None and clearly_fewer(black, best):
            yield Flag(
                FlagKind.BLACK_BOX_STRONGER,
                cell,
                f"{_share(black)} still right on {cell.source}, "
                f"{_share(best)} under {best.cell.attack}",
            )


def _nearer(far: list[Distances], manifest: Manifest) -> Iterator[Flag]:
    for one in far:
        kind = manifest.kind(one.attack)
        if kind is None or kind.needs not in _BLACK or one.rung != one.source:
            continue
        rivals = [
            other
            for other in far
            if (other.norm, other.rung, other.seed) == (one.norm, one.rung, one.seed)
            and _same_network(other.source, one.source)
            and _needs(manifest, other.attack) == "gradients"
        ]
        best = min(rivals, key=_median, default=None)
        if best is not None and _median(one) < NEARER * _median(best):
            yield Flag(
                FlagKind.BLACK_BOX_STRONGER,
                Cell(one.attack, one.source, 1.0, one.seed),
                f"median distance {_median(one):.3g}, by {best.attack} {_median(best):.3g}",
            )


def _median(one: Distances) -> float:
    """Infinite where fewer than half of the samples were reached."""
    found = quartiles(one.own).median
    return np.inf if found is None else found


def _not_monotone(found: Groups, manifest: Manifest) -> Iterator[Flag]:
    series: dict[tuple[str, str, int], list[tuple[Cell, Group]]] = {}
    for cell, _, own in _judged(found, manifest, lambda kind: kind.needs != "nothing"):
        if own.levels:
            series.setdefault((cell.attack, cell.source, cell.seed), []).append((cell, own))
    for cells in series.values():
        for (less, weak), (more, strong) in pairwise(sorted(cells, key=lambda item: item[0].eps)):
            if clearly_fewer(weak, strong):
                yield Flag(
                    FlagKind.NOT_MONOTONE,
                    more,
                    f"{_share(strong)} still right, "
                    f"{_share(weak)} at the smaller eps {less.eps:.4g}",
                )


def _survived(found: Groups, far: list[Distances], manifest: Manifest) -> Iterator[Flag]:
    for one in far:
        if one.rung == one.source and one.n - one.reached > SURVIVE * one.n:
            cell = Cell(one.attack, one.source, 1.0, one.seed)
            yield Flag(
                FlagKind.UNBOUNDED_SURVIVED,
                cell,
                f"{one.n - one.reached} of {one.n} right answers not turned",
            )
    for cell, kind, own in _judged(
        found, manifest, lambda kind: kind.needs != "nothing" and kind.norm == "linf"
    ):
        if cell.eps >= 1 and own.right.mean() > SURVIVE:
            yield Flag(
                FlagKind.UNBOUNDED_SURVIVED, cell, f"{_share(own)} still right under {kind.title}"
            )


def _idle(found: Groups, manifest: Manifest) -> Iterator[Flag]:
    """A black box against noise; gradient attacks were compared with noise when they were made."""
    clean = next((rungs for cell, rungs in found.items() if cell.attack == "clean"), {})
    for cell, kind, own in _judged(
        found, manifest, lambda kind: kind.needs in _BLACK and kind.norm == "linf"
    ):
        noise = found.get(Cell("noise", "-", cell.eps, cell.seed), {}).get(cell.source)
        before = clean.get(cell.source)
        if noise is None or before is None or not clearly_fewer(noise, before):
            continue
        if own.right.sum() >= noise.right.sum():
            detail = (
                f"{_share(own)} still right under {kind.title}, {_share(noise)} under uniform noise"
            )
            yield Flag(FlagKind.NOISE_AS_STRONG, cell, detail)


def clearly_fewer(left: Group, right: Group) -> bool:
    """Whether ``left`` has clearly fewer right answers than ``right``.

    Clearly is by more than ``CLEARLY`` standard errors of the samples that changed sides.
    """
    _, a, b = np.intersect1d(left.sample, right.sample, assume_unique=True, return_indices=True)
    lost = int(np.sum(right.right[b] & ~left.right[a]))
    won = int(np.sum(left.right[a] & ~right.right[b]))
    return bool(lost - won > CLEARLY * np.sqrt(lost + won))


def _same_network(one: str, other: str) -> bool:
    return one == other or {one, other} <= set(_ONE_NETWORK)


def _needs(manifest: Manifest, attack: str) -> str:
    kind = manifest.kind(attack)
    return kind.needs if kind else ""


def _share(group: Group) -> str:
    return f"{group.right.mean():.1%}"
