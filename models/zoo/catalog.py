"""The networks that come with the bench, by name.

An entry is a function in a file of its own; this is the table.
"""

from __future__ import annotations

from pathlib import Path

from tinyrobust.core.errors import UsageError, nearest
from tinyrobust.core.progress import Say
from tinyrobust.models.rungs.ladder import Entry, Ladder
from tinyrobust.models.zoo import (
    digits_from_scratch,
    digits_tfmot,
    mlperf_tiny,
    post_training,
    trained,
    untrained,
)

ENTRIES: dict[str, Entry] = {
    "digits": digits_from_scratch.ladder,
    **trained.entries(),
    **untrained.entries(),
    **post_training.entries(),
    "digits-tfmot": digits_tfmot.ladder,
    "mlperf-resnet8": mlperf_tiny.resnet8,
}


def find(name: str) -> Entry:
    """The zoo entry called ``name``. Raises UsageError that offers the nearest."""
    if name not in ENTRIES:
        raise UsageError(f"model {name!r} is not in the zoo: {nearest(name, ENTRIES)}")
    return ENTRIES[name]


def open_model(name: str, cache: Path, say: Say) -> Ladder:
    """The ladder of zoo entry ``name``, trained into ``cache`` the first time.

    Raises UsageError on an unknown name.
    """
    return find(name)(cache, say)
