"""The vocabulary every room shares: frozen dataclasses and Protocols. Imports nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Int8Array = NDArray[np.int8]
IntArray = NDArray[np.integer[Any]]
"""int8 or int16, as the tensor's ``TensorSpec.dtype`` says."""
Int64Array = NDArray[np.int64]
FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]


class BenchError(Exception):
    """An error the user can act on: one line that says what, where and what to do."""

    exit_code = 2


class UsageError(BenchError):
    """Bad configuration, model, data or a missing tool. Exit code 2."""

    exit_code = 2


class LinkError(BenchError):
    """The board, the emulator or the wire failed. Exit code 3."""

    exit_code = 3


class GateFailed(BenchError):  # noqa: N818  (a verdict, not a fault)
    """A stated floor was not reached. Exit code 1."""

    exit_code = 1


@dataclass(frozen=True)
class TensorSpec:
    """One tensor at the model's edge. ``real = (q - zero_point) * scale`` (TFLite quantization spec)."""

    shape: tuple[int, ...]
    """Shape without the batch dimension."""
    scale: float
    zero_point: int
    dtype: str = "int8"

    @property
    def size(self) -> int:
        """Number of elements of one sample."""
        return int(np.prod(self.shape, dtype=np.int64))

    def dequantize(self, q: NDArray[np.integer]) -> FloatArray:
        """Integers of any shape to float32 real values."""
        real: FloatArray = (q.astype(np.float32) - np.float32(self.zero_point)) * np.float32(self.scale)
        return real

    @property
    def low(self) -> float:
        """Real value of the lowest lattice point (q = -128 for int8)."""
        return (float(np.iinfo(self.dtype).min) - self.zero_point) * self.scale

    @property
    def high(self) -> float:
        """Real value of the highest lattice point (q = 127 for int8)."""
        return (float(np.iinfo(self.dtype).max) - self.zero_point) * self.scale


@dataclass(frozen=True)
class Prediction:
    """What one rung answered for a batch.

    ``logits`` float32 [n, outputs] (dequantized for integer rungs); ``raw`` int8 or int16 [n, outputs], or None for
    float rungs; ``ticks`` int64 [n] or None, in the unit that the device's INFO names; ``retries`` int64 [n] or None.
    """

    logits: FloatArray
    raw: IntArray | None = None
    ticks: Int64Array | None = None
    retries: Int64Array | None = None


@runtime_checkable
class Predictor(Protocol):
    """One rung of the ladder: the same inputs, byte for byte, give logits."""

    @property
    def rung(self) -> str:
        """``float32``, ``qat``, ``twin``, ``tflm``, ``native`` or ``board``."""
        ...

    @property
    def input(self) -> TensorSpec:
        """The int8 lattice every rung of the ladder is fed on."""
        ...

    def predict(self, q: Int8Array) -> Prediction:
        """Classify ``q``, int8 [n, *input.shape]."""
        ...


@runtime_checkable
class Differentiable(Predictor, Protocol):
    """A rung with gradients. ``real`` inputs are float32 in the units of ``input.dequantize``."""

    def logits(self, real: object) -> object:
        """TensorFlow tensor float32 [n, *shape] -> tensor of logits [n, classes]; differentiable, batch-size free."""
        ...


@dataclass(frozen=True)
class Dataset:
    """Samples on a model's input lattice: ``q`` int8 [n, *shape], ``labels`` int64 [n] (-1: no label)."""

    name: str
    q: Int8Array
    labels: Int64Array
    sha256: str


@dataclass(frozen=True)
class Cell:
    """One point of the sweep: an attack, the rung its gradients came from, and the budget that was asked for."""

    attack: str
    """``clean``, ``noise``, ``fgsm``, ``pgd`` ..."""
    source: str
    """Rung the attack was made on; ``-`` where it needs none."""
    eps: float
    """Budget in the attack's norm, in multiples of the input range (``high - low``); 0 for clean, 1 for an attack
    that minimises."""
    seed: int = 0


class FlagKind(str, Enum):
    """A sign that an attack is broken, and that accuracy under it is no robustness; after arXiv:1902.06705."""

    FAILED = "attack failed"
    MASKED_GRADIENTS = "gradients zero or masked"
    LOSS_NOT_RISING = "loss does not rise"
    WEAKER_THAN_ONE_STEP = "weaker than one step"
    NOISE_AS_STRONG = "noise is as strong"
    TRANSFER_STRONGER = "transfer is stronger than white-box"
    BLACK_BOX_STRONGER = "black box is stronger than white-box"
    BELOW_ONE_LEVEL = "eps below one level"
    NOT_MONOTONE = "more eps, less effect"
    UNBOUNDED_SURVIVED = "survived an unbounded attack"


@dataclass(frozen=True)
class Flag:
    """One such sign, where it was seen, and the figures of it in one sentence."""

    kind: FlagKind
    cell: Cell
    detail: str


@dataclass(frozen=True)
class AdversarialSet:
    """The bytes the chip is fed for one cell. ``q`` int8 [n, *shape]; every |q - clean| <= ``levels``."""

    cell: Cell
    q: Int8Array
    levels: int
    """Linf budget in whole lattice levels: floor(eps * 255), with tolerance for float error; 255 in any other norm."""
    linf: Int64Array
    """Largest change of each sample that reached the lattice, in levels, int64 [n]."""
    l2: FloatArray
    """Euclidean length of it in multiples of the input range, float32 [n]."""
    l1: FloatArray
    """Sum of its absolute changes in multiples of the input range, float32 [n]."""
    l0: Int64Array
    """Elements changed, int64 [n]."""
    unsnapped: FloatArray
    """Size of what the attack itself returned, before it was brought to the lattice and into the budget: in the
    attack's norm, in multiples of the input range (L0: elements), float32 [n]."""
    failed: BoolArray
    """Samples on which the attack ended with an error; they are left clean. bool [n]."""
    notes: tuple[str, ...] = field(default=())
    flags: tuple[Flag, ...] = field(default=())
