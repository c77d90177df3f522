"""Slopes optimised for each decision (alpha-CROWN, Xu et al., arXiv:2011.13824).

Every slope between 0 and the steepest gives a valid line, so those of all operators may be moved
along the gradient of a decision's own lower bound; each decision has its own. The bounds of the
operators stay as they are. What counts is the best bound that was met on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tinyrobust.models.bounds.lines.descent import Bounded, Box, Descent
from tinyrobust.models.bounds.lines.linear import Linear
from tinyrobust.models.bounds.lines.relaxation import drawn
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.twin.requantize import Tensor

STEPS = 20
_RATE = 0.25
"""Of the first step, as a share of the steepest slope; the last one's is a tenth of it."""


def optimised(
    linear: Linear,
    c: Tensor,
    known: Sequence[Bounded],
    box: Box,
    start: Descent,
    enough: float,
) -> Descent:
    """``start``, the descent of ``c`` [n, q, size], with better bounds where slopes give them.

    It ends early where every bound is at least ``enough``, but of expressions that are 0.
    """
    at = [(i, node.around) for i, node in enumerate(known[:-1]) if node.around is not None]
    if not at:
        return start
    n, q = tf.unstack(tf.shape(c)[:2])
    matters = tf.reduce_any(c != 0, -1)

    def spread(x: Tensor) -> Tensor:
        return tf.tile(x[:, None], (1, q, 1))

    shares = [spread(x) for _, around in at for x in around.chosen]

    def climbed(shares: list[Tensor]) -> tuple[Descent, list[Tensor]]:
        with tf.GradientTape() as tape:
            tape.watch(shares)
            moved = list(known)
            for k, (i, around) in enumerate(at):
                pair = shares[2 * k], shares[2 * k + 1]
                moved[i] = replace(known[i], lines=drawn(around, pair))
            found = linear.descend(c, moved, box)
            total = tf.reduce_sum(found.bound)
        return found, tape.gradient(total, shares, unconnected_gradients="zero")

    def step(
        i: Tensor, bound: Tensor, coefficients: Tensor, shares: list[Tensor], sizes: list[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor, list[Tensor], list[Tensor]]:
        found, slopes = climbed(shares)
        better = found.bound > bound
        bound = tf.maximum(bound, found.bound)
        coefficients = tf.where(better[..., None], found.coefficients, coefficients)
        # Each slope moves by its own scale, the root of a running mean square (RMSProp).
        sizes = [0.9 * s + 0.1 * g * g for s, g in zip(sizes, slopes, strict=True)]
        rate = _RATE * 10.0 ** (-tf.cast(i, tf.float64) / STEPS)
        shares = [
            tf.clip_by_value(x + rate * tf.math.divide_no_nan(g, tf.sqrt(s)), 0.0, 1.0)
            for x, g, s in zip(shares, slopes, sizes, strict=True)
        ]
        return i + 1, bound, coefficients, shares, sizes

    def unfinished(i: Tensor, bound: Tensor, *_: object) -> Tensor:
        return (i < STEPS) & tf.reduce_any(matters & (bound < enough))

    zeros = [tf.zeros_like(x) for x in shares]
    first = (tf.constant(0), start.bound, start.coefficients, shares, zeros)
    _, bound, coefficients, _, _ = tf.while_loop(unfinished, step, first)
    return Descent(bound, tf.reshape(coefficients, (n, q, -1)))
