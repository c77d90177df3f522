"""The vocabulary every room shares: frozen dataclasses and Protocols. Imports nothing of ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Int8Array = NDArray[np.int8]
IntArray = NDArray[np.integer[Any]]
"""int8 or int16, as the ``TensorSpec.dtype`` of the tensor, or of the input grid, says."""
Int64Array = NDArray[np.int64]
FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
T = TypeVar("T")


@dataclass(frozen=True)
class TensorSpec:
    """One tensor at the model's edge.

    ``real = (q - zero_point) * scale`` (TFLite quantization spec).
    """

    shape: tuple[int, ...]
    """Shape without the batch dimension."""
    scale: float
    zero_point: int
    dtype: str = "int8"
    lowest: int | None = None
    """The lowest level that an input can have; None: the lowest of ``dtype``."""
    highest: int | None = None
    """The highest one."""

    @property
    def bottom(self) -> int:
        """The lowest level: -128 for int8 unless ``lowest`` says otherwise."""
        return int(np.iinfo(self.dtype).min) if self.lowest is None else self.lowest

    @property
    def top(self) -> int:
        """The highest level: 127 for int8 unless ``highest`` says otherwise."""
        return int(np.iinfo(self.dtype).max) if self.highest is None else self.highest

    @property
    def steps(self) -> int:
        """From the lowest level to the highest: 255 for int8."""
        return self.top - self.bottom

    @property
    def size(self) -> int:
        """Number of elements of one sample."""
        return int(np.prod(self.shape, dtype=np.int64))

    def dequantize(self, q: NDArray[np.integer]) -> FloatArray:
        """Integers of any shape to float32 real values."""
        real: FloatArray = (q.astype(np.float32) - np.float32(self.zero_point)) * np.float32(
            self.scale
        )
        return real

    @property
    def low(self) -> float:
        """Real value of the lowest level (q = -128 for int8)."""
        return (float(self.bottom) - self.zero_point) * self.scale

    @property
    def high(self) -> float:
        """Real value of the highest level (q = 127 for int8)."""
        return (float(self.top) - self.zero_point) * self.scale


@dataclass(frozen=True)
class Prediction:
    """What one rung answered for a batch.

    ``logits`` float32 [n, outputs] (dequantized for integer rungs); ``raw`` int8 or int16 [n,
    outputs], or None for float rungs; ``ticks`` int64 [n] or None, in the unit that the device's
    INFO names; ``retries`` int64 [n] or None.
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
        """The input grid that every rung of the ladder is fed on."""
        ...

    def predict(self, q: IntArray) -> Prediction:
        """Classify ``q``, levels of ``input``, in its dtype [n, *input.shape]."""
        ...


@runtime_checkable
class Differentiable(Predictor, Protocol):
    """A rung with gradients. ``real`` inputs are float32 in the units of ``input.dequantize``."""

    def logits(self, real: object) -> object:
        """Logits [n, classes] of a TensorFlow tensor, float32 [n, *shape].

        Differentiable, for any batch size.
        """
        ...


@runtime_checkable
class Interleaving(Predictor, Protocol):
    """A rung that answers one who asks while another thinks."""

    def interleave(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """What ``tasks``, each of which asks this rung, return, in their order.

        One thinks at a time: a task is left where it asks, and goes on when it is answered. Raises
        the first error that one of them ends with; the others end where they ask next.
        """
        ...


@dataclass(frozen=True)
class Dataset:
    """Samples on the input grid of a model.

    ``q`` int8 or int16 [n, *shape], as the grid's dtype; ``labels`` int64 [n], -1 where there is no
    label.
    """

    name: str
    q: IntArray
    labels: Int64Array
    sha256: str
