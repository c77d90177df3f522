"""Is the exported network the trained one?

Its Keras model against ``tflm``, byte by byte on the output's own grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyrobust.core.errors import GateFailed
from tinyrobust.core.types import IntArray, Predictor, TensorSpec


@dataclass(frozen=True)
class Parity:
    """How far two rungs agree.

    ``equal`` is the share of output bytes that agree, ``worst`` the largest difference in levels;
    beside them is the agreement of the argmax.
    """

    samples: int
    equal: float
    worst: int
    argmax: float
    trained: str = "qat"
    """The rung ``tflm`` is held against: ``qat``, or ``float32`` where nothing quantized was
    trained.
    """

    @property
    def exact(self) -> bool:
        """Whether every byte of every output agrees."""
        return self.worst == 0

    def __str__(self) -> str:
        if self.exact:
            return f"{self.trained} and tflm agree in every output byte of {self.samples} samples"
        return (
            f"{self.trained} and tflm agree in {self.equal:.2%} of output bytes (worst "
            f"{self.worst} levels) and in "
            f"{self.argmax:.2%} of predictions, {self.samples} samples"
        )


def compare(trained: Predictor, tflm: Predictor, output: TensorSpec, q: IntArray) -> Parity:
    """Compares both rungs on ``q``.

    The logits of ``trained`` are put on the grid of ``output`` before.
    """
    raw = tflm.predict(q).raw
    if raw is None:
        raise TypeError(f"{tflm.rung} gives no raw outputs")
    expected = on_grid(trained.predict(q).logits, output)
    gap = np.abs(expected - raw.astype(np.int64))
    argmax = np.mean(expected.argmax(axis=1) == raw.argmax(axis=1))
    return Parity(len(q), float(np.mean(gap == 0)), int(gap.max()), float(argmax), trained.rung)


def on_grid(real: np.ndarray, output: TensorSpec) -> np.ndarray:
    """Real values as int64 points of the grid of ``output``, rounded to nearest.

    They are not clipped: values off its range count as different.
    """
    return np.rint(real.astype(np.float64) / output.scale).astype(np.int64) + output.zero_point


def gate(parity: Parity, name: str, floor: float) -> None:
    """Raises GateFailed where fewer than ``floor`` of the predictions agree.

    A ``floor`` of 1 asks for every byte.
    """
    if parity.argmax < floor or (floor == 1 and not parity.exact):
        wanted = "every byte" if floor == 1 else f"{floor:.1%} of predictions"
        raise GateFailed(f"export of {name} refused: {parity}; {wanted} must agree")
