"""Strength and time beside the references, as a table of ``make perf``."""

from __future__ import annotations

from tinyrobust.core.progress import Say
from tinyrobust.host.perf.strength.pairs import (
    LEVELS,
    NETWORK,
    SAMPLES,
    Outcome,
    Pair,
    clearly_weaker,
    compared,
    pairs,
    problem,
)
from tinyrobust.host.perf.strength.references import has_art
from tinyrobust.host.perf.table import Table

HEADS = ("attack", "equal", "beside", "ours", "theirs", "found", "ours s", "theirs s", "times ours")


def strength_table(say: Say) -> Table:
    """Each pair, one after the other."""
    given, rows = problem(), []
    for pair in pairs():
        say(f"{pair.attack} beside {pair.library}'s")
        ours, theirs = compared(given, pair)
        verdict = "less" if clearly_weaker(pair, ours, theirs) else "as much or more"
        rows.append(
            (
                pair.attack,
                pair.equal,
                pair.library,
                _said(pair, ours),
                _said(pair, theirs),
                verdict,
                f"{ours.seconds:.2f}",
                f"{theirs.seconds:.2f}",
                f"{theirs.seconds / ours.seconds:.1f}",
            )
        )
    missing = "" if has_art() else " ART is not installed (`pip install tinyrobust[art]`)."
    return Table(
        "Strength beside reference implementations",
        f"`{NETWORK}` with its committed weights on {SAMPLES} digits, labels being its own "
        f"answers; Linf budgets are {LEVELS}/255. *Ours* and *theirs* are what was found before "
        "rounding: the share of samples fooled, or the median of the smallest perturbations in "
        "multiples of the input range. *Found* compares them sample by sample: less would be by "
        "more than two standard errors. Seconds of ours are of a second call, without tracing. "
        "DeepFool is Foolbox's own; no library here has FAB, targeted DLR or a GeoDA that runs."
        + missing,
        HEADS,
        tuple(rows),
    )


def _said(pair: Pair, found: Outcome) -> str:
    if pair.bounded:
        return f"{found.fooled:.1%}"
    return f"{pair.norm.value.upper()} {found.median:.3g}"
