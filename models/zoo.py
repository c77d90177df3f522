"""The networks that come with the bench, by name. A recipe is a function in its own file; this is the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from host.nearest import nearest
from host.types import UsageError
from models import digits_cnn, mlperf_tiny, zoo_converted, zoo_tfmot, zoo_untrained, zoo_weights
from models.ladder import Ladder

Say = Callable[[str], None]
Recipe = Callable[[Path, Say], Ladder]

RECIPES: dict[str, Recipe] = {
    "digits": digits_cnn.ladder,
    **zoo_weights.entries(),
    **zoo_untrained.entries(),
    **zoo_converted.entries(),
    "digits-tfmot": zoo_tfmot.ladder,
    "mlperf-resnet8": mlperf_tiny.resnet8,
}


def find(name: str) -> Recipe:
    """The zoo entry called ``name``. Raises UsageError that offers the nearest."""
    if name not in RECIPES:
        raise UsageError(f"model {name!r} is not in the zoo: {nearest(name, RECIPES)}")
    return RECIPES[name]


def open_model(name: str, cache: Path, say: Say) -> Ladder:
    """The ladder of zoo entry ``name``, trained into ``cache`` the first time. Raises UsageError on an unknown name."""
    return find(name)(cache, say)
