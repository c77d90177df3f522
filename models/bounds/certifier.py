"""Bounds of one compiled network over boxes of its input grid, in batches, by either method."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.abi.plan import Conv, DepthwiseConv, FullyConnected, Record
from tinyrobust.core.grid import to_model_input
from tinyrobust.core.types import BoolArray, Int64Array, IntArray, TensorSpec
from tinyrobust.models.bounds import interval
from tinyrobust.models.bounds.decision import Scores, needed, proven
from tinyrobust.models.bounds.lines.descent import Bounded
from tinyrobust.models.bounds.lines.linear import Linear
from tinyrobust.models.bounds.lines.slopes import optimised
from tinyrobust.models.bounds.network import INPUT, network_of
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.plan.reader import read_plan
from tinyrobust.models.rungs.twin.operators import operator
from tinyrobust.models.rungs.twin.requantize import Tensor

MOST_LINEAR = 4_000_000_000
"""Multiplications a box up to which linear bounds are chosen: seconds, on one core."""
_BATCH_BYTES = 64 << 20
_MOST_BOXES = 128
_LINEAR_BOXES = 8


class Method(str, Enum):
    """How outputs are bounded."""

    INTERVAL = "interval"
    """Exact intervals, in the kernels' integers."""
    CROWN_IBP = "crown-ibp"
    """Lines drawn in intervals, and one way back from the decision (arXiv:1906.06316)."""
    LINEAR = "linear"
    """Lines drawn in linear bounds of every operator, their slopes optimised for the decision."""


@dataclass(frozen=True)
class Bounds:
    """What one method says of n boxes."""

    scores: Scores
    proven: BoolArray
    influence: NDArray[np.float64]
    """Slope of the lower bound of the closest decision in each element, [n, in]: where the box
    matters, and towards which of its corners the network may be turned.
    """


class Certifier:
    """A plan, and what can be proven of it.

    ``spec`` is the input grid that boxes are made of; ``grid`` the model's own input. Raises
    UsageError for an operator without a bound.
    """

    def __init__(self, plan: bytes, spec: TensorSpec, grid: TensorSpec) -> None:
        self.network = network_of(read_plan(plan))
        self._spec, self._grid = spec, grid
        self.linear = Linear(self.network)
        self.last = self.linear.operators[-1]
        self.classes = self.network.nodes[-1].size
        self.lead = needed(self.network.softmax, self.classes)
        largest = max(self.network.input_size, *(node.size for node in self.network.nodes))
        boxes = _BATCH_BYTES // (64 * largest)
        self._batch = {
            Method.INTERVAL: max(1, min(_MOST_BOXES, boxes)),
            Method.CROWN_IBP: max(1, min(_MOST_BOXES, boxes // self.classes)),
            Method.LINEAR: _LINEAR_BOXES,
        }
        ends = tf.TensorSpec((None, self.network.input_size), tf.float64)
        signature = [ends, ends, tf.TensorSpec((None,), tf.int64)]
        self._bound = {
            Method.INTERVAL: tf.function(
                self._by_intervals, input_signature=signature, autograph=False
            ),
            Method.CROWN_IBP: tf.function(
                self._by_one_descent, input_signature=signature, autograph=False
            ),
            Method.LINEAR: tf.function(self._by_lines, input_signature=signature, autograph=False),
        }
        self._answer = tf.function(self._classes, input_signature=[ends], autograph=False)

    @property
    def cost(self) -> int:
        """Multiplications that linear bounds take for one box, about."""
        back = [_multiplications(node.record, node.size) for node in self.network.nodes]
        total = 0
        for i, op in enumerate(self.linear.operators):
            if op is not None and op.queried and self.network.nodes[i].inputs != (INPUT,):
                total += 2 * self.network.size(i) * sum(back[:i])
        return total

    def predict(self, q: IntArray) -> Int64Array:
        """int8 [n, *shape] -> the class of the largest output byte, the first of equals, int64 [n].

        Behind a final SOFTMAX, where there is one: what the chip answers.
        """
        parts = [self._answer(x).numpy() for x in self._pieces(self.fed(q), Method.INTERVAL)]
        return np.concatenate([np.zeros(0, np.int64), *parts])

    def bound(self, low: IntArray, high: IntArray, labels: Int64Array, method: Method) -> Bounds:
        """Boxes from ``low`` to ``high``, int8 [n, *shape], both included, against ``labels``."""
        fed = (self.fed(low), self.fed(high), labels)
        columns = [self._pieces(x, method) for x in fed]
        parts = [
            [y.numpy() for y in self._bound[method](*pieces)]
            for pieces in zip(*columns, strict=True)
        ]
        least, most, difference, influence = (np.concatenate(p) for p in zip(*parts, strict=True))
        scores = Scores(
            least.astype(np.int64),
            most.astype(np.int64),
            None if self.last is None else difference,
        )
        return Bounds(scores, proven(scores, labels, self.last, self.lead), influence)

    def fed(self, q: IntArray) -> NDArray[np.float64]:
        """Flat integers of the model's own input. The rule is monotone, so ends stay."""
        points = to_model_input(q, self._spec, self._grid)
        flat: NDArray[np.float64] = points.reshape(len(q), -1).astype(np.float64)
        return flat

    def _pieces(self, x: NDArray[Any], method: Method) -> list[NDArray[Any]]:
        size = self._batch[method]
        return [x[i : i + size] for i in range(0, len(x), size)]

    def _classes(self, x: Tensor) -> Tensor:
        point = tf.cast(x, tf.float32)
        y = interval.propagate(self.network, (point, point))[-1][0]
        if self.network.softmax is not None:
            y = operator(self.network.program, self.network.softmax, y)
        return tf.argmax(tf.reshape(y, (-1, self.classes)), 1)

    def _by_intervals(self, low: Tensor, high: Tensor, labels: Tensor) -> tuple[Tensor, ...]:
        ends = tf.cast(low, tf.float32), tf.cast(high, tf.float32)
        boxes = interval.propagate(self.network, ends)
        known = [
            Bounded((tf.cast(a, tf.float64), tf.cast(b, tf.float64)), None, None, None)
            for a, b in boxes
        ]
        least, most = known[-1].box
        if self.last is None:
            return least, most, tf.zeros_like(least), tf.zeros_like(low)
        found = self.linear.at_ends(self._against(labels), known, (low, high))
        return least, most, found, tf.zeros_like(low)

    def _by_one_descent(self, low: Tensor, high: Tensor, labels: Tensor) -> tuple[Tensor, ...]:
        return self._descended(low, high, labels, queries=False)

    def _by_lines(self, low: Tensor, high: Tensor, labels: Tensor) -> tuple[Tensor, ...]:
        return self._descended(low, high, labels, queries=True)

    def _descended(
        self, low: Tensor, high: Tensor, labels: Tensor, queries: bool
    ) -> tuple[Tensor, ...]:
        known = self.linear.bounded((low, high), queries)
        least, most = known[-1].box
        if self.last is None:
            return least, most, tf.zeros_like(least), tf.zeros_like(low)
        c = self._against(labels)
        found = self.linear.descend(c, known, (low, high))
        if queries:
            enough = self.last.error.max() * 2 + self.lead
            expression = self.linear.last(c)
            found = optimised(self.linear, expression, known[:-1], (low, high), found, enough)
        # Which class comes closest; not the label itself, whose difference is 0.
        own = tf.one_hot(labels, self.classes, dtype=tf.float64)
        closest = tf.argmin(found.bound + 1e30 * own, 1)
        influence = tf.gather(found.coefficients, closest, batch_dims=1)
        return least, most, found.bound, influence

    def _against(self, labels: Tensor) -> Tensor:
        """The label's output less every output, as coefficients [n, K, K]."""
        eye = tf.eye(self.classes, dtype=tf.float64)
        return tf.gather(eye, labels)[:, None] - eye[None]


def _multiplications(record: Record, size: int) -> int:
    """Of one operator's sums, about."""
    match record:
        case Conv():
            return size * record.k_h * record.k_w * record.in_c
        case DepthwiseConv():
            return size * record.k_h * record.k_w
        case FullyConnected():
            return size * record.depth
        case _:
            return size
