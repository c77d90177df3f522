"""A source asked about grid points only: an attack optimises what the chip is given."""

from __future__ import annotations

from typing import Any

from tinyrobust.core.types import Differentiable, IntArray, Prediction, TensorSpec


class Rounding:
    """``source`` behind a rounding to the nearest grid point, which passes the gradient through."""

    def __init__(self, source: Differentiable) -> None:
        self._source = source

    @property
    def rung(self) -> str:
        """See Predictor."""
        return self._source.rung

    @property
    def input(self) -> TensorSpec:
        """See Predictor."""
        return self._source.input

    def predict(self, q: IntArray) -> Prediction:
        """See Predictor."""
        return self._source.predict(q)

    def logits(self, real: Any) -> Any:
        """See Differentiable."""
        import tensorflow as tf

        spec = self.input
        point = tf.clip_by_value(
            tf.round(real / spec.scale) + spec.zero_point, float(spec.bottom), float(spec.top)
        )
        return self._source.logits(
            real + tf.stop_gradient((point - spec.zero_point) * spec.scale - real)
        )


_last: list[tuple[Differentiable, Rounding]] = []


def rounding(source: Differentiable) -> Rounding:
    """``source`` as a Rounding, the same one again for the same source.

    So what was compiled for it is kept.
    """
    if not _last or _last[0][0] is not source:
        _last[:] = [(source, Rounding(source))]
    return _last[0][1]
