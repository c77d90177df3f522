"""Two runs of one network side by side: do their devices give the same bytes, at what cost?

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tinyrobust.core.errors import UsageError
from tinyrobust.host.analysis.divergence import DEVICES
from tinyrobust.host.records.read import read_run
from tinyrobust.host.records.schema import Manifest
from tinyrobust.host.records.ticks import of_manifest


class Key(NamedTuple):
    """What an answer is to: columns of the records."""

    attack: str
    source: str
    eps: float
    seed: int
    sample: int
    input_crc: int


@dataclass(frozen=True)
class Side:
    """One run's device."""

    run: str
    board: str
    engine: str
    """What runs the network, as the device states it."""
    rung: str
    samples: int
    counts: tuple[float, float, float] | None
    """Median, 5th and 95th percentile of an inference, in ``unit``; None where the device does not
    count.
    """
    unit: str
    """``cycles`` of a real board, ``instructions`` of an emulated one (host/records/ticks.py)."""
    arena_bytes: int | None
    """Tensors and kernels' scratch, None where the device does not say."""
    network_bytes: int | None
    """What the engine reads the network from: the plan, or for TensorFlow Lite Micro the
    .tflite.
    """
    flash_bytes: int | None
    """Of the image with the network in it, also where this run had uploaded it; None where nobody
    can tell.
    """
    accuracy: float | None
    """On the clean set; None without labels."""


@dataclass(frozen=True)
class Comparison:
    """``a`` and ``b``, and their outputs to the inputs that both were given."""

    a: Side
    b: Side
    inputs: int
    """Records of the same cell, sample and input bytes (CRC)."""
    bytes: int
    differing_bytes: int
    differing_samples: int
    first: str
    """Where the first difference is; empty if none."""


def compare(a: Path, b: Path) -> Comparison:
    """Reads two runs' folders.

    Raises UsageError on runs of different networks, without a device, or without bytes.
    """
    (one, mine), (two, theirs) = read_run(a), read_run(b)
    if one.tflite_sha256 != two.tflite_sha256:
        raise UsageError(f"{a.name} and {b.name} ran different networks ({one.model}, {two.model})")
    mine, theirs = _device(mine, a), _device(theirs, b)
    answers = dict(_answers(theirs))
    both = [(key, raw, answers[key]) for key, raw in _answers(mine) if key in answers]
    if not both:
        raise UsageError(f"{a.name} and {b.name} have no input in common")
    if any(left is None or right is None for _, left, right in both):
        raise UsageError(
            f"{a.name}, {b.name}: one of them speaks a protocol that sends no bytes: "
            "compare its report"
        )
    wrong = [(key, _differing(left, right)) for key, left, right in both if left != right]
    return Comparison(
        _side(a, one, mine),
        _side(b, two, theirs),
        inputs=len(both),
        bytes=sum(len(left) for _, left, _ in both),
        differing_bytes=sum(n for _, n in wrong),
        differing_samples=len(wrong),
        first=_said(wrong[0][0]) if wrong else "",
    )


def _said(key: Key) -> str:
    return f"{key.attack}/{key.source} eps {key.eps:.4g} sample {key.sample}"


def _device(table: pa.Table, run: Path) -> pa.Table:
    for rung in DEVICES:
        found = table.filter(pc.equal(table["rung"], rung))
        if len(found):
            return found
    raise UsageError(f"{run}: no records of a device")


def _differing(left: bytes, right: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(left, np.int8) != np.frombuffer(right, np.int8)))


def _answers(table: pa.Table) -> Iterator[tuple[Key, bytes]]:
    """(what was asked, output bytes) of each record."""
    columns = [table[name].to_pylist() for name in Key._fields]
    yield from zip(
        map(Key._make, zip(*columns, strict=True)), table["raw"].to_pylist(), strict=True
    )


def _side(run: Path, manifest: Manifest, table: pa.Table) -> Side:
    facts = dict(manifest.board_info)
    unit = of_manifest(manifest)
    counts = table["ticks"].drop_null().to_numpy() * unit.per_tick
    low, middle, high = np.percentile(counts, (5, 50, 95)) if len(counts) else (0.0, 0.0, 0.0)
    clean = table.filter(pc.equal(table["attack"], "clean"))
    labels = clean["label"].to_numpy()
    right = None
    if len(labels) and labels.min() >= 0:
        right = float(np.mean(clean["predicted"].to_numpy() == labels))
    sizes = [
        size
        for name in ("arena_bytes", "scratch_bytes")
        if (size := manifest.stated(name)) is not None
    ]
    network, flash = _flash(manifest)
    return Side(
        run=run.name,
        board=manifest.board,
        engine=facts.get("engine", ""),
        rung=table["rung"][0].as_py(),
        samples=len(table),
        counts=(float(middle), float(low), float(high)) if len(counts) else None,
        unit=unit.unit,
        arena_bytes=sum(sizes) if sizes else None,
        network_bytes=network,
        flash_bytes=flash,
        accuracy=right,
    )


def _flash(manifest: Manifest) -> tuple[int | None, int | None]:
    """Bytes of the network, and of the image with it: engines are compared on the same thing."""
    plan, in_ram = manifest.stated("plan_bytes"), manifest.stated("plan_in_ram")
    if plan is None or in_ram is None:
        return None, None
    # An engine that has of the plan its header alone runs the .tflite that is linked in beside it.
    network = plan if plan >= manifest.plan_bytes else plan + manifest.tflite_bytes
    image = manifest.stated("flash_bytes")
    uploaded = network if in_ram else 0
    return network, None if image is None else image + uploaded
