"""The digits network trained on with TFMOT's fake quantization.

That is the usual way to int8, beside QKeras's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyrobust.core.progress import Say
from tinyrobust.models.export.converter import converted_with_ranges
from tinyrobust.models.export.plain_keras import export_converted
from tinyrobust.models.keras.weights import weights_digest
from tinyrobust.models.rungs.ladder import Ladder
from tinyrobust.models.training import weight_files
from tinyrobust.models.training.cached_training import Schedule, train, trained
from tinyrobust.models.training.recipes import recipe
from tinyrobust.models.training.tfmot_qat import fake_quantized

NAME, START = "digits-tfmot", "digits-float"
SCHEDULE = Schedule(epochs=10, batch=32, rate=5e-4)
SEED = 1
FLOOR = 0.97
"""Its ranges are per tensor and no powers of two: close to the trained network, never equal to
it.
"""


def ladder(cache: Path, say: Say) -> Ladder:
    """The fake-quantized digits network, converted and checked.

    It starts from the committed float weights and is trained for 10 epochs, or loaded from the
    cache.
    """
    task, full = recipe(START).task, recipe(START).build()
    weight_files.load(START, full)
    splits = task.splits()

    def build() -> Any:
        return fake_quantized(full, task.spec)

    def fit(model: Any) -> None:
        train(model, splits, task.spec, SCHEDULE, say)

    parts = (splits.train.sha256, splits.validation.sha256, SCHEDULE, weights_digest(full))
    fake = trained(build, fit, parts, SEED, cache, say)
    tflite = converted_with_ranges(fake, task.spec)
    return export_converted(
        NAME, full, fake, tflite, task.spec, splits, task.class_names, cache, say, FLOOR
    )
