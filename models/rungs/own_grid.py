"""A ladder on the own points of its network's int16 input, instead of the 256 levels.

What a sensor of 12 or 16 bits gives lies between those, and so does what an adversary can do to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, runtime_checkable

from tinyrobust.core.errors import UsageError
from tinyrobust.core.grid import own_grid, to_model_input
from tinyrobust.core.types import Predictor, TensorSpec
from tinyrobust.models.data.splits import dataset
from tinyrobust.models.rungs.ladder import Ladder


@runtime_checkable
class Refeedable(Predictor, Protocol):
    """A rung that can be fed on another input grid."""

    def on(self, grid: TensorSpec) -> Predictor:
        """The same network on ``grid``."""
        ...


def on_own_grid(ladder: Ladder) -> Ladder:
    """``ladder`` with every rung and its test set on ``own_grid``; itself where that is int8.

    The samples are read again where their file is finer than 8 bits (``Ladder.finer``); others are
    the same real values as before. Raises UsageError on a rung that cannot be fed otherwise.
    """
    bundle, test = ladder.bundle, ladder.test
    grid = own_grid(bundle.input, bundle.grid)
    if grid == bundle.input:
        return ladder
    rungs = []
    for rung in ladder.rungs:
        if not isinstance(rung, Refeedable):
            raise UsageError(f"lattice native: {rung.rung} has no other input grid than its own")
        rungs.append(rung.on(grid))
    finer = ladder.finer(grid) if ladder.finer is not None else None
    if finer is None:
        q = to_model_input(test.q, bundle.input, bundle.grid)
        finer = dataset(test.name, q, test.labels)
    return replace(ladder, bundle=replace(bundle, input=grid), rungs=tuple(rungs), test=finer)
