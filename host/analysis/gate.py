"""Floors for continuous integration: a run's figures to verdicts, JUnit XML and exit code 1.

What a gate asks for and the run did not measure fails: a gate never passes in silence.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

from tinyrobust.core.errors import GateFailed
from tinyrobust.host.analysis.band import Bands
from tinyrobust.host.analysis.divergence import DEVICES, ORACLE, Divergence
from tinyrobust.host.analysis.metrics import STEPS, SummaryRow
from tinyrobust.host.analysis.scores import ScoreAgreement
from tinyrobust.host.analysis.worst_case import WorstCase
from tinyrobust.host.config.floors import DEVICE, Certified, Floor, Gate
from tinyrobust.host.records.schema import Manifest


@dataclass(frozen=True)
class Check:
    """One question of a gate, answered."""

    name: str
    passed: bool
    detail: str


def check(
    gate: Gate,
    rows: Sequence[SummaryRow],
    found: Sequence[Divergence],
    manifest: Manifest,
    agreements: Sequence[ScoreAgreement] = (),
    worst: Sequence[WorstCase] = (),
    certified: Bands | None = None,
) -> list[Check]:
    """Answer every question of ``gate`` from ``metrics.summarise`` and ``divergence.divergences``.

    With several seeds, each must reach the floor. A rung that answers scores is held to
    ``agreements``. A floor that names no attack is one of robust accuracy, ``worst``. Where the
    run is ``certified``, no attack of it may have turned a certified sample.
    """
    whole = Check("complete", manifest.state == "complete", f"the run is {manifest.state}")
    rung = gate.rung
    if rung == DEVICE:
        rung = next((row.rung for row in rows if row.rung in DEVICES), DEVICE)
    missing = [r.reason for r in manifest.rungs if r.rung == ORACLE and not r.available]
    if missing and gate.differing_bytes is None:
        same = Check(
            f"{rung} equals {ORACLE}",
            True,
            f"not compared: {ORACLE} is not available here: {missing[0]}",
        )
    elif scores := next((one for one in agreements if one.rung == rung), None):
        same = _scores(scores, gate.differing_bytes)
    else:
        same = _bytes(rung, gate.differing_bytes or 0, found)
    floors = (
        _floor(rung, floor, rows) if floor.attack else _robust(rung, floor, worst)
        for floor in gate.floors
    )
    proofs = (_certified(proof, certified) for proof in gate.certified)
    return [whole, same, *_consistent(certified), *floors, *proofs]


def enforce(checks: Sequence[Check]) -> None:
    """Raises GateFailed (exit code 1), naming every check that failed."""
    failed = [f"{one.name}: {one.detail}" for one in checks if not one.passed]
    if failed:
        raise GateFailed(f"{len(failed)} of {len(checks)} gates failed: {'; '.join(failed)}")


def junit(checks: Sequence[Check], suite: str) -> str:
    """The checks as a JUnit XML document, one test case each."""
    failures = sum(not one.passed for one in checks)
    root = ET.Element("testsuites")
    node = ET.SubElement(
        root, "testsuite", name=suite, tests=str(len(checks)), failures=str(failures), errors="0"
    )
    for one in checks:
        case = ET.SubElement(node, "testcase", classname=suite, name=one.name)
        if one.passed:
            ET.SubElement(case, "system-out").text = one.detail
        else:
            ET.SubElement(case, "failure", message=one.detail)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _bytes(rung: str, most: int, found: Sequence[Divergence]) -> Check:
    name = f"{rung} equals {ORACLE}"
    one = next((one for one in found if one.rung == rung), None)
    if one is None or not one.samples:
        return Check(name, False, f"not measured: no outputs of both {rung} and {ORACLE}")
    if one.input_mismatches:
        return Check(
            name, False, f"{one.input_mismatches} inputs differ between {rung} and {ORACLE}"
        )
    detail = f"{one.differing_bytes} of {one.bytes} bytes differ, at most {most} may"
    return Check(name, one.differing_bytes <= most, detail)


def _scores(one: ScoreAgreement, most: int | None) -> Check:
    name = f"{one.rung} equals {ORACLE}"
    if most is not None:
        return Check(
            name,
            False,
            f"not measured: {one.rung} sends scores, no bytes: leave differing_bytes out",
        )
    if one.input_mismatches or not one.samples:
        return Check(
            name, False, f"{one.input_mismatches} inputs differ, {one.samples} were compared"
        )
    detail = f"{one.differing_scores} of {one.scores} scores differ from {ORACLE}'s {one.rounding}"
    return Check(name, not one.differing_scores, detail)


def _robust(rung: str, floor: Floor, worst: Sequence[WorstCase]) -> Check:
    name = f"robust accuracy on {rung} at eps {floor.eps:.4g}"
    at = [one for one in worst if one.norm == "linf" and abs(one.eps - floor.eps) < 1e-6]
    measured = [one for case in at for one in case.ladder if one.rung == rung]
    if not measured:
        return Check(name, False, "not measured: no attack of the run had this budget")
    found = measured[0]
    detail = (
        f"{found.accuracy:.4f} [{found.low:.4f}, {found.high:.4f}], n = {found.n}, "
        f"floor {floor.accuracy:.4f}"
    )
    return Check(name, found.accuracy >= floor.accuracy, detail)


def _consistent(certified: Bands | None) -> list[Check]:
    if certified is None:
        return []
    broken = certified.contradictions
    detail = f"{broken[0]} ({len(broken)} such certificates)" if broken else "none was turned"
    return [Check("certified samples stand", not broken, detail)]


def _certified(proof: Certified, certified: Bands | None) -> Check:
    name = f"certified at eps {proof.eps:.4g}"
    at = [one for one in (certified.bands if certified else ()) if _same(one.levels, proof.eps)]
    if not at:
        why = "not measured: run `tinyrobust certify --run RUN_DIR` with this --eps first"
        return Check(name, False, why)
    found, n = at[0].certified, at[0].n
    detail = (
        f"{found.share:.4f} [{found.low:.4f}, {found.high:.4f}], n = {n}, floor {proof.share:.4f}"
    )
    return Check(name, found.share >= proof.share, detail)


def _same(levels: int, eps: float) -> bool:
    """Whether a budget of ``eps`` is this many whole levels, as it is for attacks: rounded down."""
    return levels == int(eps * STEPS + 1e-6)


def _floor(rung: str, floor: Floor, rows: Sequence[SummaryRow]) -> Check:
    source = "" if floor.source == "-" else f" made on {floor.source}"
    name = f"{rung} under {floor.attack}{source} at eps {floor.eps:.4g}"
    wanted = (rung, floor.attack, floor.source)
    mine = [
        r for r in rows if (r.rung, r.attack, r.source) == wanted and abs(r.eps - floor.eps) < 1e-6
    ]
    measured = [row.accuracy for row in mine if row.accuracy is not None]
    if not measured:
        return Check(name, False, "not measured: no labelled records of this cell")
    least = min(measured)
    return Check(name, least >= floor.accuracy, f"accuracy {least:.4f}, floor {floor.accuracy:.4f}")
