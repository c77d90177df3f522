"""Linear bounds of every operator of a plan, each drawn in the better of them and the intervals.

Operator by operator: the exact interval of its output, from the best boxes of its inputs; then a
lower bound of ``z`` and one of ``-z`` through all earlier operators (``descent.py``). Both bound
``y`` within rounding, and the better one counts. So linear bounds are never looser than intervals.

Not every element is asked for: one whose interval is a single value is settled, and one whose
interval shows its clamp to be open has lines of slope 1 whatever its ends are. Only the elements
that are decided on are always bounded both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tinyrobust.core.abi.plan import Pool
from tinyrobust.models.bounds import interval
from tinyrobust.models.bounds.lines.affine import MAX_POOLS, Affine, affine_of
from tinyrobust.models.bounds.lines.descent import (
    Bounded,
    Box,
    Descent,
    Expression,
    at_ends,
    descend,
)
from tinyrobust.models.bounds.lines.maximum import maximum
from tinyrobust.models.bounds.lines.relaxation import lines, staircase
from tinyrobust.models.bounds.network import INPUT, Network, Node
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.twin.requantize import Tensor

Better = Callable[[Expression, Sequence[Bounded], Box, Descent], Descent]
"""What makes a descent's bounds better, given its expression, the nodes before it and the box."""
QUERIES = 32
"""Elements that are bounded at a time, both ways."""


class Linear:
    """Linear bounds over boxes of a network's input. Its methods build one TensorFlow graph."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.operators = tuple(affine_of(network, i) for i in range(len(network.nodes)))

    def bounded(
        self, box: Box, queries: bool = True, better: Better | None = None
    ) -> list[Bounded]:
        """Every node over ``box``, float64 [n, in]; without ``queries``, from intervals alone.

        ``better`` is tried on every query.
        """
        known: list[Bounded] = []
        for i, node in enumerate(self.network.nodes):
            boxes = [box if at == INPUT else known[at].box for at in node.inputs]
            y = _exact(self.network, node, boxes)
            op = self.operators[i]
            if op is None:
                known.append(self.around(i, boxes, y, y))
                continue
            z = op.ends(boxes)
            if queries and op.queried and node.inputs != (INPUT,):
                z = self._tightened(i, known, box, z, self._asked(i, op, z, y), better)
                y = _met(op, z, y)
            known.append(self.around(i, boxes, y, z))
        return known

    def around(self, i: int, boxes: Sequence[Box], y: Box, z: Box) -> Bounded:
        """Node ``i``, fed with ``boxes``, with lines around its output ``y``.

        ``z`` lies before rounding and clamp; what is not affine has none, whatever is given.
        """
        op, node = self.operators[i], self.network.nodes[i]
        if op is not None:
            drawn_in = staircase(op.error, z, y)
            return Bounded(y, drawn_in, lines(drawn_in), None, z)
        if isinstance(node.record, Pool) and node.record.head.kind in MAX_POOLS:
            top = maximum(node.record, boxes[0])
            drawn_in = staircase(0.0, (top.low, top.high), y)
            return Bounded(y, drawn_in, lines(drawn_in), top)
        return Bounded(y, None, None, None)

    def descend(self, c: Tensor, known: Sequence[Bounded], box: Box) -> Descent:
        """Lower bounds of ``c`` [n, q, size] applied to the last node's ``z``, if it is affine."""
        return self.descended(self.last(c), known, box)

    def descended(self, expression: Expression, known: Sequence[Bounded], box: Box) -> Descent:
        """Lower bounds of an expression in outputs of nodes."""
        return descend(self.network, self.operators, known, box, expression)

    def at_ends(self, c: Tensor, known: Sequence[Bounded], box: Box) -> Tensor:
        """The same from the ends of the last node's inputs alone, [n, q]."""
        return at_ends(self.network, known, box, *self.last(c))

    def last(self, c: Tensor) -> Expression:
        """``c`` [n, q, size] applied to the last node's ``z``, in the outputs before it."""
        n, q = tf.unstack(tf.shape(c)[:2])
        last = len(self.network.nodes) - 1
        open_, value, slack = self._opened(last, tf.reshape(c, (n * q, self.network.size(last))))
        shaped = {at: tf.reshape(part, (n, q, part.shape[-1])) for at, part in open_.items()}
        return shaped, tf.reshape(value, (n, q)), tf.reshape(slack, (n, q))

    def _opened(self, i: int, c: Tensor) -> Expression:
        """``c`` [b, size] on ``z``: coefficients of the inputs [b, in], constant and error [b]."""
        op = self.operators[i]
        assert op is not None, f"node {i} is not affine"
        out: dict[int, Tensor] = {}
        for at, part in zip(self.network.nodes[i].inputs, op.backward(c), strict=True):
            out[at] = out[at] + part if at in out else part
        lost = op.roundoff * tf.linalg.matvec(abs(c), tf.constant(op.magnitude))
        return out, tf.linalg.matvec(c, tf.constant(op.constant)), lost

    def _asked(self, i: int, op: Affine, z: Box, y: Box) -> Tensor:
        """Which elements of node ``i`` to bound through earlier nodes in some box, bool [size]."""
        unsettled = y[0] < y[1]
        if i < len(self.network.nodes) - 1:
            shut = (z[0] - op.error < op.low) | (z[1] + op.error > op.high)
            unsettled = unsettled & shut
        return tf.reduce_any(unsettled, 0)

    def _tightened(
        self,
        i: int,
        known: Sequence[Bounded],
        box: Box,
        z: Box,
        wanted: Tensor,
        better: Better | None,
    ) -> Box:
        """``z`` of node ``i``, its ``wanted`` elements bounded through earlier nodes."""
        size = self.network.size(i)
        elements = tf.where(wanted)[:, 0]
        count = tf.size(elements)
        # Whole groups, one at least: the last is filled up with element 0, asked once more.
        asked = tf.pad(elements, [(0, tf.where(count > 0, -count % QUERIES, QUERIES))])
        n = tf.shape(box[0])[0]

        def group(elements: Tensor) -> Tensor:
            one = tf.one_hot(elements, size, dtype=tf.float64)
            open_, value, slack = self._opened(i, one)
            # An expression and its negative: the coefficients are those with the other sign.
            both = {at: _for_each(tf.concat([c, -c], 0), n) for at, c in open_.items()}
            value = _for_each(tf.concat([value, -value], 0), n)
            slack = _for_each(tf.concat([slack, slack], 0), n)
            expression = both, value, slack
            found = self.descended(expression, known, box)
            return better(expression, known, box, found).bound if better else found.bound

        groups = tf.reshape(asked, (-1, QUERIES))
        found = tf.map_fn(group, groups, fn_output_signature=tf.float64, parallel_iterations=1)
        low, high = tf.split(tf.ensure_shape(found, (None, None, 2 * QUERIES)), 2, 2)
        at = asked[:, None]
        return (
            _replaced(z[0], at, low, tf.tensor_scatter_nd_max),
            _replaced(z[1], at, -high, tf.tensor_scatter_nd_min),
        )


def _exact(network: Network, node: Node, boxes: Sequence[Box]) -> Box:
    """The interval of a node's output, in the kernels' integers."""
    ends = [tuple(tf.cast(end, tf.float32) for end in b) for b in boxes]
    low, high = interval.step(network.program, node.record, ends)
    return tf.cast(low, tf.float64), tf.cast(high, tf.float64)


def _met(op: Affine, z: Box, y: Box) -> Box:
    """``y`` where both its interval and the bounds of ``z`` allow it, whole levels.

    The difference is rounded to float64, which never carries it past a whole number.
    """
    low = tf.clip_by_value(tf.math.ceil(z[0] - op.error), op.low, op.high)
    high = tf.clip_by_value(tf.floor(z[1] + op.error), op.low, op.high)
    return tf.maximum(y[0], low), tf.minimum(y[1], high)


def _for_each(x: Tensor, n: Tensor) -> Tensor:
    return tf.repeat(x[None], n, 0)


def _replaced(z: Tensor, at: Tensor, found: Tensor, better: Callable[..., Tensor]) -> Tensor:
    """``z`` [n, size] with ``found`` [groups, n, QUERIES] at elements ``at``, where better."""
    by_element = tf.reshape(tf.transpose(found, (0, 2, 1)), (-1, tf.shape(z)[0]))
    return tf.transpose(better(tf.transpose(z), at, by_element))
