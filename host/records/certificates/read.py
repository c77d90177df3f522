"""Certificates read back: from their own folder, or from that of a run they were given to.

A run that was certified has ``certify.json`` and ``certified.parquet`` beside its records.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyrobust.core.errors import UsageError
from tinyrobust.core.files import write_whole
from tinyrobust.core.plain import one_line
from tinyrobust.host.records.certificates.schema import (
    ROWS,
    SCHEMA,
    SUMMARY,
    Certificate,
    Subject,
)
from tinyrobust.host.records.parquet import UNREADABLE, read_parquet
from tinyrobust.host.records.schema import Manifest
from tinyrobust.host.records.typed_json import parse_json, read

_MOST_BYTES = 1 << 28


@dataclass(frozen=True)
class Certified:
    """The certificates of one run: what they are about, and every row."""

    subject: Subject
    rows: tuple[Certificate, ...]


def read_subject(path: Path) -> Subject:
    """What the certificates in a folder are about. Raises UsageError where there are none."""
    try:
        with (path / SUMMARY).open("rb") as file:
            raw = parse_json(file.read(_MOST_BYTES))
        return read(Subject, raw["subject"])
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise UsageError(
            f"{path / SUMMARY}: no certificates here ({one_line(err)}): remove it"
        ) from None


def read_rows(path: Path) -> list[Certificate]:
    """The rows of a folder. Raises UsageError where they are damaged."""
    try:
        table = read_parquet(path / ROWS)
        if not table.schema.equals(SCHEMA):
            raise ValueError("other columns")
        return [Certificate(**row) for row in table.to_pylist()]
    except (*UNREADABLE, TypeError) as err:
        raise UsageError(f"{path / ROWS}: not certificates ({one_line(err)}): remove it") from None


def attach(folder: Path, run: Path) -> None:
    """Gives the certificates of ``folder`` to ``run``, in the place of any it has."""
    # The subject last: rows without one are not read.
    (run / SUMMARY).unlink(missing_ok=True)
    for name in (ROWS, SUMMARY):
        write_whole(run / name, (folder / name).read_bytes())


def attached(run: Path, manifest: Manifest) -> Certified | None:
    """What was given to the run ``run``, None where nothing was.

    Raises UsageError where it is damaged, or about another network or other data.
    """
    if not (run / SUMMARY).exists():
        return None
    subject = read_subject(run)
    of_run = manifest.tflite_sha256, manifest.data_sha256
    if (subject.tflite_sha256, subject.data_sha256) != of_run:
        raise UsageError(
            f"{run / SUMMARY}: certificates of another network or of other data: remove it"
        )
    return Certified(subject, tuple(read_rows(run)))
