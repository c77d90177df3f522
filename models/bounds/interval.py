"""Exact interval propagation in the kernels' own integers.

Every operator of a plan is monotone in each element of its input once weights are split by sign,
so both ends of its output are reached at ends of its input: two more answers of the same integer
arithmetic, and no argument about rounding (Gowal et al., arXiv:1810.12715, made exact on integers
after Lechner et al., arXiv:2211.16187). Requantization multiplies by a factor above 0 and rounds,
which keeps order. One thing does not: a shift to the left, which the kernels do in int32, loses
the top bits of a large sum. Where the sums of a channel can get there, its bound is the whole
range that the clamp leaves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyrobust.core.abi.plan import Record
from tinyrobust.models.bounds.network import INPUT, Network
from tinyrobust.models.bounds.scaled import Scaled, scaled
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.plan.reader import Program
from tinyrobust.models.rungs.twin.exact_sums import exact_sums
from tinyrobust.models.rungs.twin.operators import operator
from tinyrobust.models.rungs.twin.requantize import Tensor
from tinyrobust.models.rungs.twin.staircase import requantize

Box = tuple[Tensor, Tensor]
"""Lowest and highest value of every element: float32 integers [n, size], both ends included."""


def propagate(network: Network, box: Box) -> list[Box]:
    """``box`` of the network's input -> the box of every node's output."""
    boxes: list[Box] = []
    for node in network.nodes:
        fed = [box if at == INPUT else boxes[at] for at in node.inputs]
        boxes.append(step(network.program, node.record, fed))
    return boxes


def step(p: Program, record: Record, boxes: Sequence[Box]) -> Box:
    """The box of one operator's outputs, given those of its inputs."""
    sums = scaled(p, record)
    if sums is None:
        # ADD (whose multipliers are above 0), pools and PAD: monotone as they are.
        ends = [tf.concat(box, 0) for box in boxes]
        return _halves(operator(p, record, *ends))
    (box,) = boxes
    return _requantized(sums, box)


def _requantized(op: Scaled, box: Box) -> Box:
    low, high = (end + op.offset for end in box)
    # One half of the batch gives the lower ends, the other, its ends swapped, the upper ones. The
    # magnitudes of both kernels together are those of the one, so sums stay as exact as they are.
    x = tf.concat([tf.concat([low, high], 1), tf.concat([high, low], 1)], 0)

    def product(x: Tensor) -> Tensor:
        return op.product.split(*tf.split(x, 2, 1))

    sums = exact_sums(x, op.largest, op.product.kernel, product, op.bias)
    lowest, highest = _halves(requantize(sums, op.factor, op.out, op.rounding))
    if not op.can_overflow:
        return lowest, highest
    left = np.maximum(op.factor.shift, 0)
    room = float(1 << 31) / (1 << left)
    least, most = tf.split(tf.cast(sums, tf.float64), 2)
    fits = tf.logical_and(least >= -room, most < room)
    fits = tf.reshape(fits, tf.shape(lowest))
    return (
        tf.where(fits, lowest, float(op.out.low)),
        tf.where(fits, highest, float(op.out.high)),
    )


def _halves(y: Tensor) -> Box:
    low, high = tf.split(tf.reshape(y, (tf.shape(y)[0], -1)), 2)
    return low, high
