"""A ladder whose network negates its input, as the board in memory does."""

from dataclasses import dataclass

import numpy as np

from tests.support.boards.simulated import EDGE, MemoryPlan, samples
from tinyrobust.core.types import Dataset, Prediction
from tinyrobust.host.devices.believed import spec

SPEC = spec(EDGE)


@dataclass(frozen=True)
class Negation:
    """The "network" of the board in memory, on the host."""

    rung: str = "tflm"
    input: object = SPEC

    def predict(self, q):
        return Prediction(SPEC.dequantize(-q), -q)


@dataclass(frozen=True)
class SmallBundle(MemoryPlan):
    plan: bytes = bytes(range(200))
    tflite: bytes = b"tflite"
    sha256: str = "00"
    input = grid = output = SPEC
    arena_bytes: int = 0
    tflm_arena_bytes: None = None

    @property
    def plan_id(self):
        return MemoryPlan(self.plan).plan_id


@dataclass(frozen=True)
class SmallLadder:
    test: Dataset
    bundle: SmallBundle = SmallBundle()
    name: str = "small"
    rungs: tuple = (Negation(),)
    class_names: tuple = ()
    unavailable: tuple = (("qat", "there is none"),)
    notes: tuple = ("a note",)
    digest: str = "d1"
    logits: None = None


def ladder(labels=None):
    labels = np.arange(150) % 8 if labels is None else labels
    return SmallLadder(Dataset("d", samples(150), labels, "5a"))
