"""From a trained pair of networks to their ladder: lower, compile, check against the oracle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from host.types import Predictor, TensorSpec
from models import bundle, parity
from models.data import Splits
from models.ladder import Ladder, tflm_rung
from models.lower import lower
from models.reference import KerasPredictor
from models.twin import TwinPredictor


def export_qat(
    name: str,
    full: Any,
    qat: Any,
    spec: TensorSpec,
    splits: Splits,
    class_names: tuple[str, ...],
    cache: Path,
    say: Callable[[str], None],
    floor: float = 1.0,
) -> Ladder:
    """Float and QKeras model to a ladder. Parity is checked on validation and calibration data, never on test.

    ``floor`` is the share of predictions that must survive the export; 1 asks for every output byte. Raises GateFailed
    below it, UsageError where a layer has no exact form.
    """
    tflite = lower(qat, spec)
    trained = KerasPredictor(qat, "qat", spec)
    rungs: list[Predictor] = [KerasPredictor(full, "float32", spec), trained, TwinPredictor(tflite)]
    tflm, unavailable = tflm_rung(tflite, name)
    notes: tuple[str, ...] = ()
    if tflm is not None:
        for held_out in (splits.validation, splits.calibration):
            result = parity.compare(trained, tflm, tflm.output, held_out.q)
            parity.gate(result, name, floor)
            say(f"{name}: {result}")
            notes += (f"{held_out.name}: {result}",)
        rungs.append(tflm)
    built = bundle.build(tflite, cache, None if tflm is None else tflm.arena_bytes)
    return Ladder(name, built, tuple(rungs), splits.test, class_names, unavailable, notes)
