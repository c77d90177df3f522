"""Slopes optimised for each expression (alpha-CROWN, Xu et al., arXiv:2011.13824).

Every slope between 0 and the steepest gives a valid line, so those of all operators may be moved
along the gradient of an expression's own lower bound; each expression has its own. The bounds of
the operators stay as they are. What counts is the best bound that was met on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tinyrobust.models.bounds.lines.descent import Bounded, Box, Descent, Expression
from tinyrobust.models.bounds.lines.linear import Linear
from tinyrobust.models.bounds.lines.relaxation import drawn
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.twin.requantize import Tensor

STEPS = 20
_RATE = 0.25
"""Of the first step, as a share of the steepest slope; the last one's is a tenth of it."""


def optimised(
    linear: Linear,
    expression: Expression,
    known: Sequence[Bounded],
    box: Box,
    start: Descent,
    enough: float,
) -> Descent:
    """``start``, the descent of ``expression``, with better bounds where slopes give them.

    ``known`` are the nodes that it goes back over.

    It ends early where every bound is at least ``enough``, but of expressions that are 0.
    """
    at = [(i, node.around) for i, node in enumerate(known) if node.around is not None]
    if not at:
        return start
    q = tf.shape(start.bound)[1]
    matters = tf.reduce_any([tf.reduce_any(c != 0, -1) for c in expression[0].values()], 0)

    def evaluate(shares: Sequence[Tensor]) -> Descent:
        moved = list(known)
        for k, (i, around) in enumerate(at):
            pair = shares[2 * k], shares[2 * k + 1]
            moved[i] = replace(known[i], lines=drawn(around, pair))
        return linear.descended(expression, moved, box)

    shares = [tf.tile(x[:, None], (1, q, 1)) for _, around in at for x in around.chosen]
    # An expression that is 0 is bounded by 0, whatever the slopes: it is not waited for.
    wanted = tf.where(matters, tf.constant(enough, tf.float64), -float("inf"))
    found, _ = climbed(evaluate, shares, [1.0] * len(shares), start, wanted, STEPS)
    return found


def climbed(
    evaluate: Callable[[Sequence[Tensor]], Descent],
    parameters: Sequence[Tensor],
    largest: Sequence[float],
    start: Descent,
    enough: Tensor,
    steps: int,
) -> tuple[Descent, list[Tensor]]:
    """The best of what ``evaluate`` gives along ``steps`` upwards, and where they ended.

    ``parameters`` lie between 0 and ``largest``. Ends early where every bound [n, q] is at least
    ``enough``.
    """
    caps = list(largest)

    def step(
        i: Tensor, bound: Tensor, coefficients: Tensor, at: list[Tensor], sizes: list[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor, list[Tensor], list[Tensor]]:
        with tf.GradientTape() as tape:
            tape.watch(at)
            found = evaluate(at)
            total = tf.reduce_sum(found.bound)
        slopes = tape.gradient(total, at, unconnected_gradients="zero")
        better = found.bound > bound
        bound = tf.ensure_shape(tf.maximum(bound, found.bound), bound.shape)
        held = tf.where(better[..., None], found.coefficients, coefficients)
        coefficients = tf.ensure_shape(held, coefficients.shape)
        # Each parameter moves by its own scale, the root of a running mean square (RMSProp).
        sizes = [
            tf.ensure_shape(0.9 * s + 0.1 * g * g, s.shape)
            for s, g in zip(sizes, slopes, strict=True)
        ]
        rate = _RATE * 10.0 ** (-tf.cast(i, tf.float64) / tf.cast(steps, tf.float64))
        at = [
            tf.ensure_shape(
                tf.clip_by_value(x + rate * tf.math.divide_no_nan(g, tf.sqrt(s)), 0.0, cap),
                x.shape,
            )
            for x, g, s, cap in zip(at, slopes, sizes, caps, strict=True)
        ]
        return i + 1, bound, coefficients, at, sizes

    def unfinished(i: Tensor, bound: Tensor, *_: object) -> Tensor:
        return (i < steps) & tf.reduce_any(bound < enough)

    zeros = [tf.zeros_like(x) for x in parameters]
    first = (tf.constant(0), start.bound, start.coefficients, list(parameters), zeros)
    _, bound, coefficients, ended, _ = tf.while_loop(unfinished, step, first)
    coefficients = tf.reshape(coefficients, tf.shape(start.coefficients))
    return Descent(bound, coefficients), ended
