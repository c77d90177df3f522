"""Zoo entries quantized after training.

There is one of every float network of the zoo for each precision of the table.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tinyrobust.core.progress import Say
from tinyrobust.models.export.plain_keras import (
    PRECISIONS,
    Precision,
    quantized,
)
from tinyrobust.models.rungs.ladder import Entry, Ladder
from tinyrobust.models.training import weight_files
from tinyrobust.models.training.recipes import Task, recipe
from tinyrobust.models.zoo import untrained


def entries() -> dict[str, Entry]:
    """Every float network at every precision.

    ``digits-ptq`` is made of ``digits-float``, ``ds-cnn-untrained-ptq`` of ``ds-cnn-untrained``,
    and so on.
    """
    floats = sorted(
        p.stem for p in weight_files.FOLDER.glob("*.npz") if not recipe(p.stem).quantized
    )
    made = {}
    for precision in PRECISIONS:
        for name in floats:
            made[name.replace("float", precision.suffix)] = _trained(name, precision)
        for name in untrained.FLOAT:
            made[f"{name}-{precision.suffix}"] = _untrained(name, precision)
    return made


def _trained(start: str, precision: Precision) -> Entry:
    def ladder(cache: Path, say: Say) -> Ladder:
        full = recipe(start).build()
        weight_files.load(start, full)
        task: Task = recipe(start).task
        name = start.replace("float", precision.suffix)
        return quantized(
            name, full, task.spec, task.splits(), task.class_names, precision, cache, say
        )

    return ladder


def _untrained(start: str, precision: Precision) -> Entry:
    def ladder(cache: Path, say: Say) -> Ladder:
        name = f"{start}-{precision.suffix}"
        say(f"{name}: {untrained.NOTE}")
        full = untrained.seeded_float(start)
        spec, splits, class_names = untrained.task_of(full, name)
        # Logits of random weights lie close together, so that their order says nothing: no floor,
        # only the figures.
        made = quantized(
            name, full, spec, splits, class_names, replace(precision, floor=0.0), cache, say
        )
        return replace(made, notes=(untrained.NOTE, *made.notes))

    return ladder
