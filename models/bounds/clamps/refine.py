"""Bounds of one expression over many parts of a box: slopes and multipliers optimised together.

What is held in a part enters twice: the lines are drawn around fewer levels, and what is assumed of
``z`` is taken off the expression with multipliers of its own (beta-CROWN, Wang et al.,
arXiv:2103.06624). The bounds of all other activations stay those of the whole box, for which slopes
are optimised for each of them, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tinyrobust.models.bounds.clamps.parts import Activations, Part
from tinyrobust.models.bounds.lines.descent import Bounded, Box, Descent, Expression, Held
from tinyrobust.models.bounds.lines.linear import Linear
from tinyrobust.models.bounds.lines.relaxation import Lines, Staircase, drawn
from tinyrobust.models.bounds.lines.slopes import climbed, optimised
from tinyrobust.models.bounds.network import INPUT
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.twin.requantize import Tensor

_NEAR = 2.0**-30
"""Added to what is assumed of a real value: more than float64 is off by there."""
_MOST_SHARE = 4.0
"""Of a multiplier."""
_STEPS = 12
_FIRST_STEPS = 40
Float64Array = NDArray[np.float64]


@dataclass(frozen=True)
class Root:
    """One box, and what is known of every node in it before anything is assumed."""

    low: Float64Array
    high: Float64Array
    """Of the input, [1, in]."""
    y: Float64Array
    z: Float64Array
    """[2, all nodes' sizes]: least and largest, of the outputs and before rounding."""


@dataclass(frozen=True)
class Refined:
    """What was found of n parts."""

    bound: Float64Array
    """Of the expression, from below, [n]."""
    score: Float64Array
    """What is lost at each activation's lines, about, [n, S]; 0 where it has one level."""
    coefficients: Float64Array
    """Of the input in the last bound, [n, in]."""
    parameters: NDArray[np.float32]


class Refiner:
    """Bounds over parts of boxes of one network.

    ``queries``: whether its operators are bounded by lines, or by intervals alone.
    """

    def __init__(self, linear: Linear, queries: bool) -> None:
        self._linear, self._queries = linear, queries
        nodes, operators = linear.network.nodes, linear.operators
        self._sizes = [node.size for node in nodes]
        self._held = [i for i, op in enumerate(operators[:-1]) if op is not None and op.queried]
        chosen = [op for i in self._held if (op := operators[i]) is not None]
        self.activations = Activations.of(chosen) if chosen else None
        self._lined = [i for i, op in enumerate(operators[:-1]) if op is not None]
        ends = [tf.TensorSpec((None, linear.network.input_size), tf.float64)] * 2
        total, held = sum(self._sizes), sum(self._sizes[i] for i in self._held)
        self._widths = [self._sizes[i] for i in self._lined for _ in range(2)]
        self._widths += [self._sizes[i] for i in self._held for _ in range(2)]
        self._size = held
        signature = [
            *ends,
            tf.TensorSpec((2, total), tf.float64),
            tf.TensorSpec((2, total), tf.float64),
            tf.TensorSpec((None, 2, held), tf.float64),
            tf.TensorSpec((None, sum(self._widths)), tf.float32),
            tf.TensorSpec((1, 1, self._sizes[-1]), tf.float64),
            tf.TensorSpec((), tf.float64),
            tf.TensorSpec((), tf.int32),
        ]
        self._compiled = tf.function(self._refined, input_signature=signature, autograph=False)
        self._rooted = tf.function(self._root, input_signature=ends, autograph=False)

    def root(self, low: Float64Array, high: Float64Array) -> tuple[Root, Part]:
        """A box, [1, in] of the model's own input each, as the only part of itself."""
        y, z, chosen = (part.numpy() for part in self._rooted(low, high))
        held = np.concatenate([np.arange(*self._span(i)) for i in self._held])
        ends = y[:, held].astype(np.int32)
        parameters = np.concatenate([chosen, np.zeros(2 * self._size)]).astype(np.float32)
        return Root(low, high, y, z), Part(ends[0], ends[1], parameters)

    def reach(self, root: Root, at: int) -> tuple[float, float]:
        """Least and largest value before rounding of the activation ``at``, in the whole box."""
        for i in self._held:
            if at < self._sizes[i]:
                column = self._span(i)[0] + at
                return float(root.z[0, column]), float(root.z[1, column])
            at -= self._sizes[i]
        raise IndexError(at)

    def refine(
        self, root: Root, parts: Sequence[Part], c: Float64Array, enough: float, first: bool
    ) -> Refined:
        """``c`` [K] of the last node's ``z`` over ``parts`` of ``root``."""
        levels = np.stack([np.stack([part.low, part.high]) for part in parts])
        given = np.stack([part.parameters for part in parts])
        steps = _FIRST_STEPS if first else _STEPS
        found = self._compiled(
            root.low,
            root.high,
            root.y,
            root.z,
            levels.astype(np.float64),
            given,
            c[None, None],
            enough,
            steps,
        )
        bound, score, coefficients, parameters = (part.numpy() for part in found)
        return Refined(bound, score, coefficients, parameters)

    def _span(self, i: int) -> tuple[int, int]:
        start = sum(self._sizes[:i])
        return start, start + self._sizes[i]

    def _root(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        def better(
            expression: Expression, known: Sequence[Bounded], box: Box, start: Descent
        ) -> Descent:
            return optimised(self._linear, expression, known, box, start, float("inf"))

        known = self._linear.bounded((low, high), self._queries, better)
        y = tf.concat([tf.concat(node.box, 0) for node in known], 1)
        z = tf.concat([tf.concat(node.z or node.box, 0) for node in known], 1)
        chosen = [x[0] for i in self._lined for x in _around(known[i]).chosen]
        return y, z, tf.concat(chosen, 0)

    def _refined(
        self,
        low: Tensor,
        high: Tensor,
        y: Tensor,
        z: Tensor,
        levels: Tensor,
        given: Tensor,
        c: Tensor,
        enough: Tensor,
        steps: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        n = tf.shape(levels)[0]
        box = tf.repeat(low, n, 0), tf.repeat(high, n, 0)
        known, assumed = self._narrowed(box, y, z, levels)
        expression = self._linear.last(tf.repeat(c, n, 0))
        spread = tf.cast(given, tf.float64)[:, None]
        parameters = tf.split(spread, self._widths, 2)
        largest = [1.0] * (2 * len(self._lined)) + [_MOST_SHARE] * (2 * len(self._held))

        def evaluate(at: Sequence[Tensor]) -> Descent:
            return self._linear.descended(expression, self._drawn(known, assumed, at), box)

        none = Descent(
            tf.fill((n, 1), tf.constant(-1e30, tf.float64)),
            tf.zeros((n, 1, self._linear.network.input_size), tf.float64),
        )
        best, ended = climbed(evaluate, parameters, largest, none, tf.fill((n, 1), enough), steps)
        score = self._score(expression, self._drawn(known, assumed, ended), box, levels)
        packed = tf.cast(tf.concat(ended, 2)[:, 0], tf.float32)
        return best.bound[:, 0], score, best.coefficients[:, 0], packed

    def _narrowed(
        self, box: Box, y: Tensor, z: Tensor, levels: Tensor
    ) -> tuple[list[Bounded], dict[int, tuple[Tensor, Tensor]]]:
        """Every node over the parts, and which ends of what is held are assumed, 0 or 1."""
        nodes, n = self._linear.network.nodes, tf.shape(levels)[0]
        every_y = [tf.repeat(part[:, None], n, 1) for part in tf.split(y, self._sizes, 1)]
        every_z = [tf.repeat(part[:, None], n, 1) for part in tf.split(z, self._sizes, 1)]
        held = tf.split(levels, [self._sizes[i] for i in self._held], 2)
        cut = dict(zip(self._held, held, strict=True))
        known: list[Bounded] = []
        assumed: dict[int, tuple[Tensor, Tensor]] = {}
        for i, op in enumerate(self._linear.operators):
            values, reals = (every_y[i][0], every_y[i][1]), (every_z[i][0], every_z[i][1])
            if i in cut and op is not None:
                ends = cut[i][:, 0], cut[i][:, 1]
                assumed[i] = (
                    tf.cast(ends[0] > values[0], tf.float64),
                    tf.cast(ends[1] < values[1], tf.float64),
                )
                held_z = ends[0] - op.error - _NEAR, ends[1] + op.error + _NEAR
                reals = (
                    tf.where(assumed[i][0] > 0, tf.maximum(reals[0], held_z[0]), reals[0]),
                    tf.where(assumed[i][1] > 0, tf.minimum(reals[1], held_z[1]), reals[1]),
                )
                values = ends
            fed = [box if at == INPUT else known[at].box for at in nodes[i].inputs]
            known.append(self._linear.around(i, fed, values, reals))
        return known, assumed

    def _drawn(
        self,
        known: Sequence[Bounded],
        assumed: dict[int, tuple[Tensor, Tensor]],
        at: Sequence[Tensor],
    ) -> list[Bounded]:
        moved = list(known)
        for k, i in enumerate(self._lined):
            pair = at[2 * k], at[2 * k + 1]
            moved[i] = replace(known[i], lines=drawn(_around(known[i]), pair))
        shares = at[2 * len(self._lined) :]
        for k, i in enumerate(self._held):
            op, (low, high) = self._linear.operators[i], known[i].box
            assert op is not None
            held = Held(
                low - op.error - _NEAR,
                high + op.error + _NEAR,
                shares[2 * k] * assumed[i][0][:, None],
                shares[2 * k + 1] * assumed[i][1][:, None],
            )
            moved[i] = replace(moved[i], held=held)
        return moved

    def _score(
        self, expression: Expression, known: Sequence[Bounded], box: Box, levels: Tensor
    ) -> Tensor:
        """What each held activation's lines cost at their worst, times what depends on them."""
        ends = []
        with tf.GradientTape() as tape:
            moved = list(known)
            for i in self._held:
                line = known[i].lines
                assert line is not None
                pair = tf.identity(line.lower), tf.identity(line.upper)
                tape.watch(pair)
                ends.append(pair)
                moved[i] = replace(
                    known[i],
                    lines=Lines(line.lower_slope, pair[0], line.upper_slope, pair[1]),
                )
            bound = tf.reduce_sum(self._linear.descended(expression, moved, box).bound)
        felt = tape.gradient(bound, ends, unconnected_gradients="zero")
        return tf.concat([_loss(known[i], felt[k]) for k, i in enumerate(self._held)], 1)


def _around(node: Bounded) -> Staircase:
    assert node.around is not None, "a node without lines"
    return node.around


def _loss(node: Bounded, felt: tuple[Tensor, Tensor]) -> Tensor:
    """[n, size]: the coefficient of the output times the gap between its lines and its clamps."""
    around, line = _around(node), node.lines
    assert line is not None
    assert node.z is not None
    low, high = around.y
    rise = high - low
    under = tf.maximum(low - (node.z[0] - around.error), 0)
    over = tf.maximum((node.z[1] + around.error) - high, 0)
    s_low, s_high = line.lower_slope[:, 0], line.upper_slope[:, 0]
    below = tf.maximum(s_low * under, rise * (1 - s_low))
    above = tf.maximum(s_high * over, rise * (1 - s_high))
    loss = abs(felt[0][:, 0]) * below + abs(felt[1][:, 0]) * above
    return tf.where(rise > 0, loss + 1e-12, 0.0)
