"""Certificates of a run that is made of thin air."""

import dataclasses

from tests.support.runs import synthetic
from tinyrobust.host.records.certificates.read import Certified, attach
from tinyrobust.host.records.certificates.schema import Certificate, Subject
from tinyrobust.host.records.certificates.store import Certificates

STATED = synthetic.manifest()
SUBJECT = Subject(
    STATED.model,
    STATED.tflite_sha256,
    STATED.plan_id,
    STATED.data,
    STATED.data_sha256,
    "auto",
    0.0,
    1,
)


def row(sample, levels, status="certified"):
    return Certificate(sample, levels, 0, 0, status, "linear", 0.25)


def given(*rows, **changes):
    """Certificates as a run has them."""
    return Certified(dataclasses.replace(SUBJECT, **changes), rows)


def certify(run, *rows, **changes):
    """Gives ``rows`` to the run in folder ``run``."""
    folder = run.parent / "certificates"
    with Certificates(folder, dataclasses.replace(SUBJECT, **changes)) as store:
        store.append(list(rows))
        store.finish({"command": "c", "boxes": []})
    attach(folder, run)
