"""Executes one run: every cell of the sweep on every rung of the ladder, recorded as it goes, resumed where it ended."""

from __future__ import annotations

import hashlib
import json
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from host.config import Config
from host.describe import describe
from host.device import Device
from host.examples import Examples, write_examples
from host.records import SCHEMA, Manifest
from host.sets import Sets, code_version
from host.store import EXAMPLES, Store, replacing
from host.sweep import cells
from host.types import AdversarialSet, Cell, Dataset, Differentiable, Int64Array, Prediction, Predictor, UsageError
from host.wire import PROTOCOL

if TYPE_CHECKING:
    from models.ladder import Ladder

BATCH = 64
FLUSH_SECONDS = 2.0
"""At most about so much work is done again after an interruption."""
PICTURES = 8

Say = Callable[[str], None]
Tick = Callable[[str, int, int], None]
"""Progress: (what is being done, records made, records in all)."""


@dataclass(frozen=True)
class Outcome:
    """Where the run's folder is, and whether anything was left to do."""

    path: Path
    manifest: Manifest
    made: int
    """Records made by this call; the others were there."""


def subset(data: Dataset, samples: int | None, outputs: int) -> Dataset:
    """The first ``samples`` of the test set, checked: labels are -1 or a class of the model. Raises UsageError."""
    if samples is not None and samples > len(data.q):
        raise UsageError(f"samples {samples}: {data.name} has {len(data.q)}")
    q, labels = data.q[:samples], data.labels[:samples]
    if len(q) == 0:
        raise UsageError(f"{data.name}: no samples")
    bad = np.flatnonzero((labels < -1) | (labels >= outputs))
    if len(bad):
        raise UsageError(
            f"{data.name}: label {labels[bad[0]]} of sample {bad[0]}: the model has classes 0..{outputs - 1}"
        )
    return replace(data, q=np.ascontiguousarray(q), labels=labels)


def models_identity(config: Config, ladder: Ladder) -> str:
    """Identifies the networks of the ladder: the exported model, and the user's float baseline where there is one."""
    parts = [ladder.name, ladder.bundle.sha256, ladder.bundle.plan_id]
    if config.float_model is not None:
        parts.append(hashlib.sha256(config.float_model.read_bytes()).hexdigest())
    return "\n".join(parts)


def run_id(
    config: Config, models: str, data: Dataset, todo: Iterable[Cell], rungs: Iterable[str], firmware: str
) -> str:
    """Content hash of all that determines the records: the same question finds its answers again."""
    parts = {
        "models": models,
        "data": [data.name, data.sha256, len(data.q)],
        "board": config.board,
        "cells": [asdict(cell) for cell in todo],
        "rungs": list(rungs),
        "protocol": PROTOCOL,
        "firmware": firmware,
        "attacks": code_version(),
    }
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    model = Path(config.model).stem.removeprefix("zoo:") if config.is_file else config.model.removeprefix("zoo:")
    return f"{model}-{config.board}-{digest[:12]}"


def to_table(rung: str, made: AdversarialSet, at: Int64Array, labels: Int64Array, answer: Prediction) -> pa.Table:
    """Records (records.SCHEMA) of the samples ``at`` (int64 indices) of one cell on one rung."""
    n, cell = len(at), made.cell
    columns = {
        "rung": [rung] * n,
        "attack": [cell.attack] * n,
        "source": [cell.source] * n,
        "eps": [cell.eps] * n,
        "seed": [cell.seed] * n,
        "levels": [made.levels] * n,
        "linf": made.linf[at],
        "sample": at,
        "label": labels[at],
        "predicted": answer.logits.argmax(axis=1),
        "input_crc": [zlib.crc32(made.q[i].tobytes()) for i in at],
        "logits": [row.astype(np.float32) for row in answer.logits],
        "raw": None if answer.raw is None else [row.tobytes() for row in answer.raw],
        "ticks": answer.ticks,
        "retries": answer.retries,
    }
    arrays = [pa.nulls(n, f.type) if columns[f.name] is None else pa.array(columns[f.name], f.type) for f in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


class Recorder:
    """Runs rungs on the samples that are missing and appends them to the store about every ``FLUSH_SECONDS``."""

    def __init__(self, store: Store, labels: Int64Array, total: int, tick: Tick) -> None:
        self._store, self._labels, self._total, self._tick = store, labels, total, tick
        self.made = 0

    def cell(self, rung: Predictor, made: AdversarialSet) -> None:
        """Records what of one cell is missing on one rung. What was answered before an error is kept."""
        missing = np.flatnonzero(~self._store.done(rung.rung, made.cell))
        tables: list[pa.Table] = []
        flushed = time.monotonic()
        what = f"{made.cell.attack} eps {made.cell.eps:.4f} from {made.cell.source} on {rung.rung}"
        try:
            for start in range(0, len(missing), BATCH):
                at = missing[start : start + BATCH]
                tables.append(to_table(rung.rung, made, at, self._labels, rung.predict(made.q[at])))
                if time.monotonic() - flushed > FLUSH_SECONDS:
                    self._flush(tables)
                    flushed = time.monotonic()
                self._tick(what, self._store.recorded + sum(map(len, tables)), self._total)
        finally:
            self._flush(tables)

    def _flush(self, tables: list[pa.Table]) -> None:
        if tables:
            table = pa.concat_tables(tables)
            tables.clear()
            self._store.append(table)
            self.made += len(table)


def execute(config: Config, ladder: Ladder, device: Device, cache: Path, say: Say, tick: Tick) -> Outcome:
    """One run, from its first or its next missing record to ``records.parquet``.

    Raises UsageError on an impossible configuration or a full disk, LinkError where the board fails; all records made
    until then are kept, and the same call goes on from there.
    """
    data = subset(ladder.test, config.samples, ladder.bundle.output.size)
    differentiable = {rung.rung: rung for rung in ladder.rungs if isinstance(rung, Differentiable)}
    todo = cells(config, tuple(differentiable))
    info = device.load(ladder.bundle, ladder.bundle.input)
    rungs: tuple[Predictor, ...] = (*ladder.rungs, device)
    models = models_identity(config, ladder)
    firmware = f"{info.firmware} {info.engine}"
    name = run_id(config, models, data, todo, (rung.rung for rung in rungs), firmware)
    manifest = describe(config, ladder, data, device, name)
    with Store(config.out, manifest) as store:
        if store.complete:
            say(f"{store.path} is complete: nothing to run")
            return Outcome(store.path, store.manifest, 0)
        total = len(todo) * len(rungs) * len(data.q)
        if store.recorded:
            say(f"{store.path}: going on after {store.recorded} of {total} records")
        recorder = Recorder(store, data.labels, total, tick)
        sets = Sets(cache / "sets", models, data, ladder.bundle.input)
        notes = list(store.manifest.notes)
        pictures: list[AdversarialSet] = []
        try:
            for cell in todo:
                made = sets.get(cell, differentiable.get(cell.source))
                lines = (f"{cell.attack} eps {cell.eps:.4g} from {cell.source}: {note}" for note in made.notes)
                notes += [line for line in lines if line not in notes]
                if cell.source in differentiable:
                    pictures.append(made)
                for rung in rungs:
                    recorder.cell(rung, made)
        finally:
            ended = replace(store.manifest, notes=tuple(notes), link=_counters(store, device))
            store.describe(ended)
        _save_pictures(store.path / EXAMPLES, data, pictures)
        store.finish(replace(ended, state="complete"))
        return Outcome(store.path, store.manifest, recorder.made)


def _counters(store: Store, device: Device) -> tuple[tuple[str, int], ...]:
    """Counters of the link, added to those of earlier parts of an interrupted run."""
    before = dict(store.manifest.link)
    return tuple((name, before.get(name, 0) + count) for name, count in asdict(device.counters).items())


def _save_pictures(path: Path, data: Dataset, made: list[AdversarialSet]) -> None:
    if not made:
        return
    q, labels = data.q[:PICTURES], data.labels[:PICTURES]
    examples = Examples(
        tuple(one.cell for one in made),
        np.stack([q] * len(made)),
        np.stack([one.q[:PICTURES] for one in made]),
        np.stack([labels] * len(made)),
    )
    with replacing(path) as file:
        write_examples(Path(file.name), examples)
