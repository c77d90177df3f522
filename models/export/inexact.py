"""Why a QKeras network and its export may differ by a level, layer by layer.

Each reason is one that a recipe could take away.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrobust.models.export.activation_grid import rounds_half_away
from tinyrobust.models.export.fold import CONVOLUTIONS, DENSE, DEPTHWISE, fold
from tinyrobust.models.export.steps import Step, steps_of

_SPARE = 64
"""Weights up to this leave the accumulator a spare bit, which hides the first of TFLite's two
roundings.
"""


def reasons(model: Any) -> list[str]:
    """One line for each reason against exactness, naming the layers that it holds for.

    Empty where none is known.
    """
    steps = steps_of(model)[1:]
    found = {
        "rounds half to even in QKeras, half away from zero on the chip": _named(
            steps, _rounds_to_even
        ),
        "has 8-bit weights, which leave no spare bit for the chip's two roundings": _named(
            steps, _no_spare_bit
        ),
        "has weight scales that are no powers of two": _named(steps, _odd_scale),
    }
    return [f"{', '.join(names)}: {why}" for why, names in found.items() if names]


def _named(steps: list[Step], holds: Any) -> list[str]:
    return [step.name for step in steps if holds(step)]


def _rounds_to_even(step: Step) -> bool:
    return step.quantizer is not None and not rounds_half_away(step.quantizer)


def _no_spare_bit(step: Step) -> bool:
    return (
        _has_weights(step)
        and int(np.abs(fold(step.layer, step.batchnorm).weights.astype(int)).max()) > _SPARE
    )


def _odd_scale(step: Step) -> bool:
    return _has_weights(step) and bool(
        (np.frexp(fold(step.layer, step.batchnorm).scales)[0] != 0.5).any()
    )


def _has_weights(step: Step) -> bool:
    return isinstance(step.layer, (*CONVOLUTIONS, *DEPTHWISE, *DENSE))
