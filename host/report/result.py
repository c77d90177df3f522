"""What a run ends with: accuracy per cell and rung, and whether the board's bytes are the oracle's.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyrobust.core.cells import Flag
from tinyrobust.host.analysis.band import Bands, bands
from tinyrobust.host.analysis.divergence import Divergence, divergences
from tinyrobust.host.analysis.flags import flags
from tinyrobust.host.analysis.metrics import SummaryRow, summarise
from tinyrobust.host.analysis.scores import ScoreAgreement, agreements
from tinyrobust.host.analysis.worst_case import WorstCase, worst_cases
from tinyrobust.host.records.certificates.read import attached
from tinyrobust.host.records.read import read_run
from tinyrobust.host.records.schema import Manifest


@dataclass(frozen=True)
class Result:
    """The figures of one run."""

    manifest: Manifest
    rows: tuple[SummaryRow, ...]
    divergence: tuple[Divergence, ...]
    agreement: tuple[ScoreAgreement, ...]
    flags: tuple[Flag, ...]
    worst: tuple[WorstCase, ...]
    """Robust accuracy, smallest budget first; empty where it cannot be told."""
    certified: Bands | None
    """Robust accuracy from both sides; None where the run was not certified."""

    @classmethod
    def of(cls, run: Path) -> Result:
        """Reads a finished run's folder. Raises UsageError where it is none."""
        manifest, table = read_run(run)
        rows = tuple(summarise(table, manifest))
        return cls(
            manifest,
            rows,
            tuple(divergences(table)),
            tuple(agreements(table)),
            tuple(flags(table, manifest)),
            tuple(worst_cases(table, manifest)),
            bands(table, attached(run, manifest)),
        )
