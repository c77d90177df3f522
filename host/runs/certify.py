"""All samples of a data set against boxes of some levels: what is missing is certified and kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.progress import Pace, Say
from tinyrobust.core.types import Dataset
from tinyrobust.host.analysis.certified import Certified, summarise
from tinyrobust.host.analysis.metrics import STEPS
from tinyrobust.host.records.certificates.schema import Certificate, Subject
from tinyrobust.host.records.certificates.store import Certificates

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
    samples: int | None
    """The first so many; None for all."""


@dataclass(frozen=True)
class Done:
    """A folder of certificates, and its figures for every box of the job."""

    folder: Path
    figures: tuple[Certified, ...]


def certify(out: Path, ladder: Ladder, job: Job, say: Say, command: str) -> Done:
    """Certifies what is missing of ``job`` in its folder below ``out``.

    Raises UsageError for a network with an operator without a bound and for data without labels,
    before any work.
    """
    from tinyrobust.models.bounds.certifier import Certifier

    bundle = ladder.bundle
    certifier = Certifier(bundle.plan, bundle.input, bundle.grid)
    data = first(ladder.test, job.samples, certifier.classes)
    subject = subject_of(ladder, job, certifier)
    with Certificates(out / f"certify-{ladder.name}-{subject.digest[:12]}", subject) as store:
        _missing(store, certifier, data, job, say)
        figures = tuple(summarise(at, store.rows(at, len(data.q))) for at in job.levels)
        boxes = [{"eps": f"{one.levels}/{STEPS}", **asdict(one)} for one in figures]
        store.finish({"command": command, "boxes": boxes})
    return Done(store.path, figures)


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


def whole_levels(eps: Iterable[float]) -> tuple[int, ...]:
    """Budgets as fractions of the input range -> whole levels, ascending, without those below one.

    Raises UsageError for one that is no fraction.
    """
    from tinyrobust.attacks.base.input_grid import levels

    return tuple(sorted({levels(one) for one in eps} - {0}))


def _missing(store: Certificates, certifier: Certifier, data: Dataset, job: Job, say: Say) -> None:
    """Adds what ``store`` lacks of every box of ``job``, a few samples at a time."""
    from tinyrobust.models.bounds.verdicts import decide, methods_for, searcher

    methods = methods_for(job.method, certifier)
    search = searcher(certifier, methods)
    for levels in job.levels:
        missing = np.setdiff1d(np.arange(len(data.q)), list(store.done(levels)))
        made = len(data.q) - len(missing)
        pace = Pace(f"{levels} levels", "samples", say)
        pace(made, len(data.q))
        q, labels = data.q[missing], data.labels[missing]
        for verdicts in decide(certifier, q, labels, levels, methods, job.budget, search):
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
