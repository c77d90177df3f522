"""The ladder of the digits network, trained where no weights are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyrobust.core.progress import Say
from tinyrobust.models.data.digits import CLASS_NAMES, SPEC, digits
from tinyrobust.models.export.qkeras import export_qat
from tinyrobust.models.keras.weights import copy_weights, weights_digest
from tinyrobust.models.networks.digits_cnn import build_float, build_qat
from tinyrobust.models.rungs.ladder import Ladder
from tinyrobust.models.training.cached_training import Schedule, train, trained

FLOAT_SCHEDULE = Schedule(epochs=60, batch=32, rate=3e-3)

QAT_SCHEDULE = Schedule(epochs=30, batch=32, rate=1e-3)

SEED = 1


def ladder(cache: Path, say: Say) -> Ladder:
    """The digits network, exported and checked against its own export.

    Trains both the float and the quantized network, or loads them from the cache.
    """
    splits = digits()

    def fit_float(model: Any) -> None:
        train(model, splits, SPEC, FLOAT_SCHEDULE, say)

    def fit_qat(model: Any) -> None:
        copy_weights(full, model)
        train(model, splits, SPEC, QAT_SCHEDULE, say)

    data = splits.train.sha256, splits.validation.sha256
    full = trained(build_float, fit_float, (data, FLOAT_SCHEDULE), SEED, cache, say)
    qat = trained(build_qat, fit_qat, (data, QAT_SCHEDULE, weights_digest(full)), SEED, cache, say)
    return export_qat("digits", full, qat, SPEC, splits, CLASS_NAMES, cache, say)
