"""What certificates are about, and one row for each sample and box. Schema only."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass

import pyarrow as pa

SUMMARY = "certify.json"
ROWS = "certified.parquet"
STATUSES = ("certified", "broken", "undecided", "wrong")
SCHEMA = pa.schema(
    [
        pa.field("sample", pa.int32()),
        pa.field("levels", pa.int16()),
        pa.field("label", pa.int32()),
        pa.field("predicted", pa.int32()),
        pa.field("status", pa.string()),
        pa.field("method", pa.string()),
        pa.field("seconds", pa.float64()),
    ]
)
"""One row per sample and box; ``levels, sample`` is the key. ``levels`` is the box's reach on the
input lattice, in whole levels, in every element. ``predicted`` is the class of the sample itself.
``status``: ``certified`` (every point of the box gives the label), ``broken`` (one was found that
does not), ``undecided``, ``wrong`` (the sample itself does not). ``method``: what settled it, or
tried last (``interval``, ``crown-ibp``, ``linear``, ``split``; ``-`` where nothing was needed).
``seconds``: time it took, its share of what was bounded together.
"""
_MOST_LEVELS = 255


@dataclass(frozen=True)
class Certificate:
    """One row. Raises ValueError on one that no certify writes."""

    sample: int
    levels: int
    label: int
    predicted: int
    status: str
    method: str
    seconds: float

    def __post_init__(self) -> None:
        numbers = (self.sample, self.levels, self.label, self.predicted)
        if not all(type(value) is int and value >= 0 for value in numbers):
            raise ValueError("not a certificate: its numbers are whole and 0 or more")
        if not 1 <= self.levels <= _MOST_LEVELS or self.status not in STATUSES:
            raise ValueError(
                f"not a certificate: {self.levels!r} levels, status {str(self.status)[:20]!r}"
            )


@dataclass(frozen=True)
class Subject:
    """What certificates are about: those of two different subjects are not mixed."""

    model: str
    tflite_sha256: str
    plan_id: str
    data: str
    data_sha256: str
    method: str
    budget: float
    """Seconds of branch and bound for each undecided sample."""
    lead: int
    """Levels by which the label has to lead where it is decided: 1, or more before SOFTMAX."""

    @property
    def digest(self) -> str:
        """SHA-256 of all of it."""
        return hashlib.sha256(json.dumps(dataclasses.asdict(self)).encode()).hexdigest()
