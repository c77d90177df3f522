"""A plain Keras network and what TFLiteConverter made of it, to its ladder.

The .tflite is compiled and checked against the oracle.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyrobust.core.progress import Say
from tinyrobust.core.types import Predictor, TensorSpec
from tinyrobust.models.data.splits import Splits
from tinyrobust.models.export.converter import Activations, converted
from tinyrobust.models.plan import bundle
from tinyrobust.models.rungs import parity
from tinyrobust.models.rungs.ladder import Ladder, tflm_rung
from tinyrobust.models.rungs.predictors import KerasPredictor, without_softmax
from tinyrobust.models.rungs.quantization_noise import explained, layer_noise
from tinyrobust.models.rungs.twin.predictor import TwinPredictor

NOISE_SAMPLES = 32
"""Calibration samples on which the noise of every layer is measured."""
_PARITY_SAMPLES = 200
"""Of each part: tflite-micro answers 20 to 80 ResNet8 images a second."""


def export_converted(
    name: str,
    full: Any,
    fake: Any | None,
    tflite: bytes,
    spec: TensorSpec,
    splits: Splits,
    class_names: tuple[str, ...],
    cache: Path,
    say: Say,
    floor: float,
) -> Ladder:
    """The ladder of a float network, its fake-quantized one and their .tflite.

    ``fake`` is None after post-training quantization.

    No such export is exact: the noise of every layer is said, and ``floor`` is the share of
    predictions that must survive, on validation and calibration data, never on test. Raises
    GateFailed below it.
    """
    rungs: list[Predictor] = [KerasPredictor(full, "float32", spec)]
    unavailable: tuple[tuple[str, str], ...] = ()
    if fake is None:
        unavailable = (
            ("qat", "quantized after training: there is no quantized network that was trained"),
        )
    else:
        rungs.append(KerasPredictor(fake, "qat", spec))
    trained = rungs[-1]
    tflm, missing = tflm_rung(tflite, name, spec)
    rungs.append(TwinPredictor(tflite, spec))
    notes: tuple[str, ...] = ()
    if tflm is not None:
        layers = layer_noise(
            full if fake is None else fake, tflite, spec, splits.calibration.q[:NOISE_SAMPLES]
        )
        for layer in layers:
            say(f"{name}: {layer}")
        for held_out in (splits.validation, splits.calibration):
            result = parity.compare(trained, tflm, tflm.output, held_out.q[:_PARITY_SAMPLES])
            parity.gate(result, name, floor)
            notes += (f"{held_out.name}: {result}",)
        notes += (explained(layers),)
        for note in notes:
            say(f"{name}: {note}")
        rungs.append(tflm)
    built = bundle.build(tflite, cache, None if tflm is None else tflm.arena_bytes, spec)
    return Ladder(name, built, tuple(rungs), splits.test, class_names, unavailable + missing, notes)


CALIBRATION = 200
"""Samples that set the ranges: the first of the calibration part."""


@dataclass(frozen=True)
class Precision:
    """``suffix`` in an entry's name, and the share of predictions a trained network must keep."""

    suffix: str
    activations: Activations
    floor: float


PRECISIONS = (
    Precision("ptq", Activations.INT8, 0.95),
    Precision("int16x8", Activations.INT16, 0.99),
)


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
    """The ladder of the plain Keras network ``full``, quantized after its training.

    It is calibrated on the calibration part of ``splits``.
    """
    full = without_softmax(full)
    tflite = converted(full, spec, splits.calibration.q[:CALIBRATION], precision.activations)
    return export_converted(
        name, full, None, tflite, spec, splits, class_names, cache, say, precision.floor
    )
