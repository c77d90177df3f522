"""The first line of the report: is what runs on the chip what the oracle says it is?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyrobust.host.analysis.band import Bands
from tinyrobust.host.analysis.divergence import DEVICES, ORACLE, Divergence
from tinyrobust.host.analysis.scores import ScoreAgreement
from tinyrobust.host.records.schema import Manifest


@dataclass(frozen=True)
class Verdict:
    """``state`` is ``good``, ``bad`` or ``open``; ``text`` one sentence."""

    state: str
    text: str


def verdict(
    found: Sequence[Divergence], manifest: Manifest, agreements: Sequence[ScoreAgreement] = ()
) -> list[Verdict]:
    """One verdict for each exact rung.

    Before them stands why no device was compared, where none was.

    A device that answers scores instead of bytes is judged by ``agreements``
    (host/analysis/scores.py).
    """
    judged = [one for agreement in agreements for one in _judge_scores(agreement)]
    judged += [_judge(one) for one in found]
    if agreements or any(one.rung in DEVICES for one in found):
        return judged
    reasons = [
        f"{rung.rung} was not available ({rung.reason})"
        for rung in manifest.rungs
        if not rung.available and rung.rung in (ORACLE, *DEVICES)
    ]
    why = "; ".join(reasons) or f"no outputs of both {ORACLE} and a device are recorded"
    return [Verdict("open", f"Bytes not compared: {why}."), *judged]


def proven_wrong(certified: Bands | None) -> list[Verdict]:
    """A verdict where an attack turned a certified sample: the bounds or the run are wrong."""
    broken = certified.contradictions if certified else ()
    if not broken:
        return []
    more = f" There are {len(broken):,} such certificates." if len(broken) > 1 else ""
    return [Verdict("bad", f"A proof and an attack disagree: {broken[0]}.{more}")]


def _judge_scores(one: ScoreAgreement) -> list[Verdict]:
    if one.input_mismatches:
        why = (
            f"{one.rung} and {ORACLE} were fed different bytes on {one.input_mismatches:,} inputs."
        )
        return [Verdict("bad", why)]
    if one.differing_scores:
        judged = Verdict(
            "bad",
            f"{one.rung} differs from {ORACLE} on {one.differing_samples:,} of {one.samples:,} "
            f"outputs ({one.differing_scores:,} of {one.scores:,} scores, by up to "
            f"{one.largest / 1000:.3f}), first at {one.first}: another network, another input "
            "encoding or other arithmetic.",
        )
    else:
        judged = Verdict(
            "good",
            f"{one.rung} gives the outputs of {ORACLE} {one.rounding}: {one.samples:,} of "
            f"{one.samples:,} outputs, {one.scores:,} scores. Bytes were not compared: "
            "its protocol sends none.",
        )
    if not one.ties:
        return [judged]
    share = f"{one.ties:,} of {one.samples:,} outputs"
    return [
        judged,
        Verdict(
            "open", f"{one.rung}: {share} tie at three decimals; the first of the classes counted."
        ),
    ]


def _judge(one: Divergence) -> Verdict:
    if one.input_mismatches:
        return Verdict(
            "bad",
            f"{one.rung} and {ORACLE} were fed different bytes on {one.input_mismatches:,} inputs: "
            "these records do not compare the same thing.",
        )
    if one.differing_bytes:
        return Verdict(
            "bad",
            f"{one.rung} differs from {ORACLE} on {one.differing_samples:,} of {one.samples:,} "
            f"outputs ({one.differing_bytes:,} of {one.bytes:,} bytes, by up to {one.largest} "
            f"levels), first at {one.first}.",
        )
    return Verdict(
        "good",
        f"{one.rung} and {ORACLE} agree on every byte: "
        f"{one.samples:,} of {one.samples:,} outputs, {one.bytes:,} bytes.",
    )
