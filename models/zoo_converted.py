"""Zoo entries quantized after training: every float network of the zoo, once for each precision of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from host.types import TensorSpec
from models import weight_files, zoo_untrained
from models.data import Splits
from models.export_converted import export_converted
from models.ladder import Ladder
from models.recipes import Task, recipe
from models.reference import without_softmax
from models.tflite_converter import Activations, converted

Say = Callable[[str], None]
CALIBRATION = 200
"""Samples that set the ranges: the first of the calibration part."""


@dataclass(frozen=True)
class Precision:
    """``suffix`` in an entry's name, and the share of predictions a trained network must keep."""

    suffix: str
    activations: Activations
    floor: float


PRECISIONS = (Precision("ptq", Activations.INT8, 0.95), Precision("int16x8", Activations.INT16, 0.99))


def entries() -> dict[str, Callable[[Path, Say], Ladder]]:
    """``digits-ptq`` of ``digits-float``, ``ds-cnn-untrained-ptq`` of ``ds-cnn-untrained``, and so on."""
    floats = sorted(p.stem for p in weight_files.FOLDER.glob("*.npz") if not recipe(p.stem).quantized)
    made = {}
    for precision in PRECISIONS:
        for name in floats:
            made[name.replace("float", precision.suffix)] = _trained(name, precision)
        for name in zoo_untrained.FLOAT:
            made[f"{name}-{precision.suffix}"] = _untrained(name, precision)
    return made


def _trained(start: str, precision: Precision) -> Callable[[Path, Say], Ladder]:
    def ladder(cache: Path, say: Say) -> Ladder:
        full = recipe(start).build()
        weight_files.load(start, full)
        task: Task = recipe(start).task
        name = start.replace("float", precision.suffix)
        return quantized(name, full, task.spec, task.splits(), task.class_names, precision, cache, say)

    return ladder


def _untrained(start: str, precision: Precision) -> Callable[[Path, Say], Ladder]:
    def ladder(cache: Path, say: Say) -> Ladder:
        name = f"{start}-{precision.suffix}"
        say(f"{name}: {zoo_untrained.NOTE}")
        full = zoo_untrained.seeded_float(start)
        spec, splits, class_names = zoo_untrained.task_of(full, name)
        # Logits of random weights lie close together, so that their order says nothing: no floor, only the figures.
        made = quantized(name, full, spec, splits, class_names, replace(precision, floor=0.0), cache, say)
        return replace(made, notes=(zoo_untrained.NOTE, *made.notes))

    return ladder


def quantized(
    name: str,
    full: Any,
    spec: TensorSpec,
    splits: Splits,
    class_names: tuple[str, ...],
    precision: Precision,
    cache: Path,
    say: Say,
) -> Ladder:
    """The ladder of plain Keras network ``full`` after training-free quantization, calibrated on ``calibration``."""
    full = without_softmax(full)
    tflite = converted(full, spec, splits.calibration.q[:CALIBRATION], precision.activations)
    return export_converted(name, full, None, tflite, spec, splits, class_names, cache, say, precision.floor)
