"""All samples of a data set against boxes of some levels: what is missing is certified and kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.progress import Pace, Say
from tinyrobust.core.types import Dataset
from tinyrobust.host.records.certificates import Certificate, Certificates, Subject

if TYPE_CHECKING:
    from tinyrobust.models.bounds.certifier import Certifier
    from tinyrobust.models.rungs.ladder import Ladder


@dataclass(frozen=True)
class Job:
    """What to certify, and how."""

    levels: tuple[int, ...]
    """Of the input grid, 1 to 255, ascending."""
    method: str
    budget: float
    """Seconds of branch and bound for each sample that stays undecided; 0 for none."""


def first(data: Dataset, samples: int | None, classes: int) -> Dataset:
    """The first ``samples``. Raises UsageError where a label is missing or too large."""
    q, labels = data.q[:samples], data.labels[:samples]
    if not len(q) or (labels < 0).any():
        raise UsageError(f"{data.name}: has no labels to certify; give data with labels")
    if labels.max() >= classes:
        raise UsageError(
            f"{data.name}: label {labels.max()} for a model of {classes} outputs; give its own data"
        )
    return Dataset(data.name, q, labels, data.sha256)


def subject_of(ladder: Ladder, job: Job, certifier: Certifier) -> Subject:
    """What the certificates of a job are about."""
    bundle, data = ladder.bundle, ladder.test
    return Subject(
        ladder.name,
        bundle.sha256,
        bundle.plan_id,
        data.name,
        data.sha256,
        job.method,
        job.budget,
        certifier.lead,
    )


def certify(store: Certificates, certifier: Certifier, data: Dataset, job: Job, say: Say) -> None:
    """Adds what ``store`` lacks of every box of ``job``, a few samples at a time."""
    from tinyrobust.models.bounds.verdicts import decide, methods_for

    methods = methods_for(job.method, certifier)
    for levels in job.levels:
        missing = np.setdiff1d(np.arange(len(data.q)), list(store.done(levels)))
        made = len(data.q) - len(missing)
        pace = Pace(f"{levels} levels", "samples", say)
        pace(made, len(data.q))
        q, labels = data.q[missing], data.labels[missing]
        for verdicts in decide(certifier, q, labels, levels, methods, job.budget):
            rows = [
                Certificate(
                    int(missing[v.sample]),
                    levels,
                    int(labels[v.sample]),
                    v.predicted,
                    v.status.value,
                    v.method,
                    round(v.seconds, 6),
                )
                for v in verdicts
            ]
            if rows:
                store.append(rows)
                made += len(rows)
                pace(made, len(data.q))
