"""The first line of the report: is what runs on the chip what the oracle says it is?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from host.divergence import DEVICES, ORACLE, Divergence
from host.records import Manifest


@dataclass(frozen=True)
class Verdict:
    """``state`` is ``good``, ``bad`` or ``open``; ``text`` one sentence."""

    state: str
    text: str


def verdict(found: Sequence[Divergence], manifest: Manifest) -> list[Verdict]:
    """One verdict for each exact rung, after one that says why no device was compared, where none was."""
    judged = [_judge(one) for one in found]
    if any(one.rung in DEVICES for one in found):
        return judged
    reasons = [
        f"{rung.rung} was not available ({rung.reason})"
        for rung in manifest.rungs
        if not rung.available and rung.rung in (ORACLE, *DEVICES)
    ]
    why = "; ".join(reasons) or f"no outputs of both {ORACLE} and a device are recorded"
    return [Verdict("open", f"Bytes not compared: {why}."), *judged]


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
            f"{one.rung} differs from {ORACLE} on {one.differing_samples:,} of {one.samples:,} outputs "
            f"({one.differing_bytes:,} of {one.bytes:,} bytes, by up to {one.largest} levels), first at {one.first}.",
        )
    return Verdict(
        "good",
        f"{one.rung} and {ORACLE} agree on every byte: "
        f"{one.samples:,} of {one.samples:,} outputs, {one.bytes:,} bytes.",
    )
