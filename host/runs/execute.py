"""One run: every cell on every rung, recorded as it goes, resumed where it ended."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinyrobust.attacks.base.goals import LEAST_LIKELY, number
from tinyrobust.attacks.base.problem import Lattice
from tinyrobust.attacks.versions import of_attack
from tinyrobust.core.abi.wire import PROTOCOL
from tinyrobust.core.cells import AdversarialSet, Cell
from tinyrobust.core.errors import UsageError
from tinyrobust.core.files import replacing
from tinyrobust.core.progress import Say
from tinyrobust.core.types import Dataset, Differentiable, Predictor, TensorSpec
from tinyrobust.host.config.bench import Config
from tinyrobust.host.config.choices import NATIVE, OWN
from tinyrobust.host.devices.target import Target
from tinyrobust.host.records.examples import Examples, write_examples
from tinyrobust.host.records.schema import SCHEMA, Manifest
from tinyrobust.host.records.store import EXAMPLES, REMEDY, Store
from tinyrobust.host.runs.asking.sources import Sources, scores_of
from tinyrobust.host.runs.asking.views import Held, Slot
from tinyrobust.host.runs.describe import describe
from tinyrobust.host.runs.recorder import Recorder, Tick
from tinyrobust.host.runs.sets import Sets
from tinyrobust.host.runs.sweep import CLEAN, NO_SOURCE, Subject, cells, resolve

if TYPE_CHECKING:
    from tinyrobust.models.rungs.ladder import Ladder

PICTURES = 8
UNLABELLED = "samples without a label are attacked away from what the source itself answers"


@dataclass(frozen=True)
class Outcome:
    """Where the run's folder is, and whether anything was left to do."""

    path: Path
    manifest: Manifest
    made: int
    """Records made by this call; the others were there."""


def subset(data: Dataset, samples: int | None, outputs: int) -> Dataset:
    """The first ``samples`` of the test set, checked: labels are -1 or a class of the model.

    Raises UsageError.
    """
    if samples is not None and samples > len(data.q):
        raise UsageError(f"samples {samples}: {data.name} has {len(data.q)}")
    q, labels = data.q[:samples], data.labels[:samples]
    if len(q) == 0:
        raise UsageError(f"{data.name}: no samples")
    bad = np.flatnonzero((labels < -1) | (labels >= outputs))
    if len(bad):
        raise UsageError(
            f"{data.name}: label {labels[bad[0]]} of sample {bad[0]}: "
            f"the model has classes 0..{outputs - 1}"
        )
    return replace(data, q=np.ascontiguousarray(q), labels=labels)


def subject(rungs: Sequence[Predictor], device: str, data: Dataset, spec: TensorSpec) -> Subject:
    """What the sweep may make attacks on: the host's ``rungs`` and the ``device``'s."""
    differentiable = tuple(rung.rung for rung in rungs if isinstance(rung, Differentiable))
    queried = tuple(rung.rung for rung in rungs if rung.rung not in differentiable)
    labelled = bool(np.all(data.labels >= 0))
    return Subject(differentiable, (*queried, device), spec.size, spec.steps, labelled)


def run_id(
    config: Config,
    models: str,
    data: Dataset,
    todo: Sequence[Cell],
    rungs: Sequence[str],
    firmware: str,
    scored: str = "",
) -> str:
    """A run's id: a hash of all that determines its records.

    The same question finds its answers again. ``scored`` is the id of the plan that attacks on
    scores ask, where it is not the one that is flashed.
    """
    parts = {
        "models": models,
        "data": [data.name, data.sha256, len(data.q)],
        "board": config.board,
        "cells": [asdict(cell) for cell in todo],
        "rungs": list(rungs),
        "protocol": PROTOCOL,
        "firmware": firmware,
        "attacks": {cell.attack: of_attack(cell.attack) for cell in todo},
        "lattice": config.lattice,
        "queries": config.queries,
        "columns": SCHEMA.names,
    }
    given = {"target": config.target, "search": config.search, "scored": scored}
    parts |= {name: value for name, value in given.items() if value}
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    name = Path(config.model).stem if config.is_file else config.model
    return f"{name.removeprefix('zoo:')}-{config.board}-{digest[:12]}"


def execute(
    config: Config,
    ladder: Ladder,
    device: Target,
    cache: Path,
    say: Say,
    tick: Tick,
    command: str = "",
) -> Outcome:
    """One run, from its first or its next missing record to ``records.parquet``.

    ``command`` is kept in the manifest.

    Raises UsageError on an impossible configuration or a full disk, LinkError where the board
    fails; all records made until then are kept, and the same call goes on from there.
    """
    data = subset(ladder.test, config.samples, ladder.bundle.output.size)
    slot, bundle = Slot(device), ladder.bundle
    flashed = Held(slot, bundle, bundle.input, bundle.output)
    rungs: tuple[Predictor, ...] = (*ladder.rungs, flashed)
    config = resolve(config)
    todo = cells(config, subject(ladder.rungs, device.rung, data, ladder.bundle.input))
    if config.target not in ("", LEAST_LIKELY):
        number(config.target, ladder.bundle.output.size)
    flashed.hold()
    firmware = device.identity.firmware
    with ExitStack() as stack:
        most = sum(c.source == device.rung for c in todo) * len(data.q) * (config.queries or 0)
        sources = Sources(config, ladder, slot, firmware, cache, say, stack, most)
        scores, scored = scores_of(sources, todo)
        names = [rung.rung for rung in rungs]
        name = run_id(config, ladder.digest, data, todo, names, firmware, scored)
        manifest = describe(config, ladder, data, device, name, command)
        said = sources.notes(todo)
        manifest = replace(manifest, scores=scores, notes=manifest.notes + said)
        store = stack.enter_context(Store(config.out, manifest))
        if store.complete:
            say(f"{store.path} is complete: nothing to run")
            return Outcome(store.path, store.manifest, 0)
        total = len(todo) * len(rungs) * len(data.q)
        if store.dropped:
            say(f"{store.path}: {store.dropped} records of attacks that failed are made again")
        if store.recorded:
            say(f"{store.path}: going on after {store.recorded} of {total} records")
        for line in said:
            say(line)
        recorder = Recorder(store, data.labels, total, tick)
        sets = Sets(
            cache / "sets",
            data,
            ladder.bundle.input,
            _lattice(config),
            say,
            config.queries,
            config.target,
        )
        before = manifest if store.dropped else store.manifest
        notes, flags = list(before.notes), list(before.flags)
        attacked = any(cell.source != NO_SOURCE for cell in todo)
        if attacked and np.any(data.labels < 0) and UNLABELLED not in notes:
            notes.append(UNLABELLED)
        pictures: list[AdversarialSet] = []
        try:
            for cell in todo:
                source = sources.of(cell)
                made = sets.get(cell, source.rung, source.identity)
                lines = (
                    f"{cell.attack} eps {cell.eps:.4g} from {cell.source}: {note}"
                    for note in made.notes
                )
                notes += [line for line in lines if line not in notes]
                flags += [flag for flag in made.flags if flag not in flags]
                if cell.attack != CLEAN:
                    pictures.append(replace(made, q=made.q[:PICTURES].copy()))
                for rung in rungs:
                    recorder.cell(rung, made)
        finally:
            link = _counters(store, device)
            ended = replace(store.manifest, notes=tuple(notes), flags=tuple(flags), link=link)
            store.describe(ended)
        flashed.hold()
        _save_pictures(store.path / EXAMPLES, data, pictures)
        store.finish(replace(ended, state="complete"))
        return Outcome(store.path, store.manifest, recorder.made)


def _lattice(config: Config) -> Lattice | None:
    """What the user asked for; None leaves it to each attack."""
    return None if config.lattice in (OWN, NATIVE) else Lattice(config.lattice)


def _counters(store: Store, device: Target) -> tuple[tuple[str, int], ...]:
    """Counters of the link, added to those of earlier parts of an interrupted run."""
    before = dict(store.manifest.link)
    return tuple(
        (name, before.get(name, 0) + count) for name, count in asdict(device.counters).items()
    )


def _save_pictures(path: Path, data: Dataset, made: list[AdversarialSet]) -> None:
    if not made:
        return
    q, labels = data.q[:PICTURES], data.labels[:PICTURES]
    examples = Examples(
        tuple(one.cell for one in made),
        np.stack([q] * len(made)),
        np.stack([one.q for one in made]),
        np.stack([labels] * len(made)),
    )
    with replacing(path, REMEDY) as file:
        write_examples(file, examples)
