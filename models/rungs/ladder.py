"""One network with everything that can answer for it.

It has the exported bundle, the rungs on the host, and test data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tinyrobust.core.progress import Say
from tinyrobust.core.types import Dataset, Predictor, TensorSpec
from tinyrobust.models.plan.bundle import Bundle
from tinyrobust.models.rungs import oracle
from tinyrobust.models.rungs.logits import LogitsNetwork, logits_network
from tinyrobust.models.rungs.predictors import KerasPredictor, TflmPredictor


@dataclass(frozen=True)
class Ladder:
    """The rungs of one network that exist here, with its bundle and test data.

    ``rungs`` are in the ladder's order; ``unavailable`` names the others, each with the reason.
    """

    name: str
    bundle: Bundle
    rungs: tuple[Predictor, ...]
    test: Dataset
    class_names: tuple[str, ...]
    unavailable: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    finer: Callable[[TensorSpec], Dataset | None] | None = None
    """``test`` read again on a finer grid; None, or what gives None, where it has 8 bits."""

    @property
    def digest(self) -> str:
        """SHA-256 of every network of the ladder.

        That is the exported one, and layers and weights of the Keras ones.
        """
        trained = (rung.digest for rung in self.rungs if isinstance(rung, KerasPredictor))
        parts = (self.name, self.bundle.sha256, self.bundle.plan_id, *trained)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @cached_property
    def logits(self) -> LogitsNetwork | None:
        """The exported network up to its logits; None where it ends in no SOFTMAX."""
        return logits_network(self.bundle.tflite)

    def close(self) -> None:
        """Ends the child processes behind its rungs."""
        for rung in self.rungs:
            if isinstance(rung, TflmPredictor):
                rung.close()


Entry = Callable[[Path, Say], Ladder]
"""What stands in the zoo under a name: the cache folder, and who is told of progress, to a ladder.
"""


def tflm_rung(
    tflite: bytes, name: str, spec: TensorSpec | None = None
) -> tuple[TflmPredictor | None, tuple[tuple[str, str], ...]]:
    """The ``tflm`` rung, fed on ``spec``, where tflite-micro can be had.

    Else None and its entry for ``unavailable``.
    """
    reason = oracle.unavailable()
    if reason is not None:
        return None, (("tflm", reason),)
    return TflmPredictor(tflite, name, spec), ()
