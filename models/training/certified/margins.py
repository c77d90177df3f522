"""How far a label's logit stays ahead of the others over a whole box.

The last layer is bounded as differences of logits, ``(w_y - w_j) x + b_y - b_j``, in which what two
classes share cancels (Gowal et al. 2018, section 3). Where the network ends on a grid, two logits
are rounded by half a level each: the difference has to be more than a level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyrobust.core.errors import UsageError
from tinyrobust.models.keras.tf import keras, tf
from tinyrobust.models.training.certified.intervals import Reached, chain_of, parameters, step

from qkeras import QActivation  # isort: skip  (after tinyrobust.models.keras.tf)

Tensor = Any


@dataclass(frozen=True)
class Bounds:
    """What is known of n boxes: ``margins`` float32 [n, K], lower bounds of the label's logit less
    each class's (0 at the label itself), less what rounding may take; ``logits`` [m, K] of the
    points; ``sums`` the boxes before each hidden activation, the input's first.
    """

    margins: Tensor
    logits: Tensor
    sums: tuple[Reached, ...]

    @property
    def certified(self) -> Tensor:
        """Which boxes have one answer, the label, bool [n]. A margin of 0 is none."""
        return tf.reduce_sum(tf.cast(self.margins > 0, tf.int32), 1) == self.margins.shape[1] - 1


class Margins:
    """``model``'s margins over boxes.

    Raises UsageError where the model is no chain of layers that ends in a dense one.
    """

    def __init__(self, model: Any) -> None:
        layers = chain_of(model)
        self._grid = layers.pop() if isinstance(layers[-1], QActivation) else None
        self._last = layers.pop() if layers else None
        linear = (None, keras.activations.linear)
        if not isinstance(self._last, keras.layers.Dense) or self._last.activation not in linear:
            raise UsageError(
                f"model {model.name}: its last layer is not a dense one that is linear"
            )
        self._hidden = layers

    @property
    def level(self) -> float:
        """Step of the grid that the logits are rounded to; 0 in a float network."""
        if self._grid is None:
            return 0.0
        quantizer = self._grid.quantizer
        return float(2.0 ** (int(quantizer.integer) - int(quantizer.bits) + 1))

    def __call__(self, low: Tensor, high: Tensor, points: Tensor, labels: Tensor) -> Bounds:
        """Boxes from ``low`` to ``high``, float32 [n, ...], with ``labels`` [n], and the logits of
        ``points`` [m, ...] beside them; m may be 0.
        """
        at = Reached(low, high, points)
        sums = [at]
        for layer in self._hidden:
            at, before = step(layer, at)
            sums += [] if before is None else [before]
        kernel, bias = parameters(self._last)
        logits = tf.matmul(at.point, kernel) + bias
        by_class = tf.transpose(kernel)
        difference = tf.gather(by_class, labels)[:, None] - by_class[None]  # [n, K, inputs]
        least = tf.linalg.matvec(difference, at.center) - tf.linalg.matvec(
            tf.abs(difference), at.radius
        )
        least += tf.gather(bias, labels)[:, None] - bias[None]
        others = 1.0 - tf.one_hot(labels, by_class.shape[0])
        margins = (least - self.level) * others
        return Bounds(margins, logits if self._grid is None else self._grid(logits), tuple(sums))
