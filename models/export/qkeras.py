"""From a trained pair of networks to their ladder: lower, compile, check against the oracle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyrobust.core.progress import Say
from tinyrobust.core.types import Dataset, Predictor, TensorSpec
from tinyrobust.models.data.splits import Splits
from tinyrobust.models.export.inexact import reasons
from tinyrobust.models.export.lower import lower
from tinyrobust.models.plan import bundle
from tinyrobust.models.rungs import parity
from tinyrobust.models.rungs.ladder import Ladder, tflm_rung
from tinyrobust.models.rungs.parity_layers import compare_layers
from tinyrobust.models.rungs.predictors import KerasPredictor
from tinyrobust.models.rungs.twin.predictor import TwinPredictor

_LAYER_SAMPLES = 32


def export_qat(
    name: str,
    full: Any | None,
    qat: Any,
    spec: TensorSpec,
    splits: Splits,
    class_names: tuple[str, ...],
    cache: Path,
    say: Say,
    floor: float = 1.0,
) -> Ladder:
    """Float (None: there is none) and QKeras model to a ladder.

    Parity is checked on validation and calibration data, never on test; where it is not exact, the
    layers that differ are said, and why.

    ``floor`` is the share of predictions that must survive the export; 1 asks for every output
    byte. Raises GateFailed below it, UsageError where a layer has no exact form.
    """
    tflite = lower(qat, spec)
    trained = KerasPredictor(qat, "qat", spec)
    rungs: list[Predictor] = [trained, TwinPredictor(tflite)]
    unavailable: tuple[tuple[str, str], ...] = ()
    if full is None:
        unavailable = (("float32", "no float model given (--float)"),)
    else:
        rungs.insert(0, KerasPredictor(full, "float32", spec))
    tflm, missing = tflm_rung(tflite, name)
    notes: tuple[str, ...] = ()
    if tflm is not None:
        held_out = (splits.validation, splits.calibration)
        results = [parity.compare(trained, tflm, tflm.output, data.q) for data in held_out]
        for data, result in zip(held_out, results, strict=True):
            say(f"{name}: {result}")
            notes += (f"{data.name}: {result}",)
        if not all(result.exact for result in results):
            notes += _explained(name, qat, tflite, spec, splits.calibration, say)
        for result in results:
            parity.gate(result, name, floor)
        rungs.append(tflm)
    built = bundle.build(tflite, cache, None if tflm is None else tflm.arena_bytes)
    return Ladder(name, built, tuple(rungs), splits.test, class_names, unavailable + missing, notes)


def _explained(
    name: str, qat: Any, tflite: bytes, spec: TensorSpec, data: Dataset, say: Say
) -> tuple[str, ...]:
    """Says which layers differ; the known reasons, as notes."""
    for layer in compare_layers(qat, tflite, spec, data.q[:_LAYER_SAMPLES]):
        if layer.worst:
            say(
                f"{name}: layer {layer.layer}: {layer.equal:.2%} of values equal, worst "
                f"{layer.worst} levels"
            )
    why = tuple(reasons(qat))
    for reason in why:
        say(f"{name}: {reason}")
    return why
