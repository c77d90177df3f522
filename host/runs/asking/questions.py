"""Sources of attacks: which network they are, and a device that is not asked twice."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

from tinyrobust.core.files import CACHE_REMEDY, made_folder
from tinyrobust.core.progress import LINE_SECONDS, Say, duration
from tinyrobust.core.types import Predictor
from tinyrobust.host.runs.asking.journal import Journaled

ANSWERS = "each with the width of its raw outputs"
"""How a journal's records are written; those of another writing are left alone."""


@runtime_checkable
class Identified(Protocol):
    """A rung that says what it is.

    A float network's sets serve every integer network that was made of it.
    """

    @property
    def digest(self) -> str:
        """SHA-256 of its layers and weights."""
        ...


def journaled(
    device: Predictor,
    models: str,
    cache: Path,
    say: Say,
    most: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> Journaled:
    """``device`` behind the journal of all answers it ever gave; close it.

    Answers are those of ``models``, network and firmware.

    Now and then ``say`` is told how many questions were asked and how fast; where ``most`` says how
    many a budget allows at all, also how long they can still take. Raises UsageError as Journaled
    does.
    """
    said = clock()

    def tick(asked: int, replayed: int, rate: float) -> None:
        nonlocal said
        if clock() - said > LINE_SECONDS:
            said = clock()
            total = f" of at most {most}" if most else ""
            left = f", at most {duration((most - asked) / rate)} left" if most and rate else ""
            known = f"{replayed} of them answered before"
            say(f"{device.rung}: {asked}{total} questions, {known}, {rate:.0f} answers/s{left}")

    folder = cache / "journals"
    made_folder(folder, CACHE_REMEDY)
    name = hashlib.sha256(f"{ANSWERS}\n{models}".encode()).hexdigest()
    return Journaled(device, folder / f"{name}.journal", models, tick)
