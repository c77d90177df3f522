"""One expression bounded from below over a box, line by line back to the input (CROWN).

An expression in some activations is bounded from below by replacing every activation by one of its
two lines (``relaxation.py``), from the last operator to the first, until it stands in the input's
elements alone, whose ends are known. On the way it is also evaluated at the ends of whatever it
stands in; the best of these counts, the first of which is the interval's (Zhang et al.,
arXiv:1811.00866).

**What float64 does.** Coefficients, constants and sums are computed with errors, which have to be
bounded, since a bound is rounded inwards to whole levels. Coefficients need not be exact: any
approximate ones give a valid bound, if what their error is worth is taken off. One step back over
an operator computes sums of at most n terms, in any order and possibly fused, so it is off by at
most gamma_n = n u / (1 - n u) times the sum of the magnitudes of their terms (Higham, Accuracy and
Stability of Numerical Algorithms, 2nd ed., section 3.1; u = 2**-53). With |x| bounded by the type,
that is at most gamma_n * sum(|coefficient| * magnitude), where ``Affine.magnitude`` adds up what
weights, biases, zero points and lines can contribute to one activation, with both factors counted
generously. ``slack`` adds these up over all steps, and twice as much is taken off, which is more
than the error of ``slack`` itself. No library takes a fast algorithm (Winograd, FFT) for
convolutions of float64, for which this would not hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyrobust.models.bounds.lines.affine import Affine
from tinyrobust.models.bounds.lines.maximum import Maximum
from tinyrobust.models.bounds.lines.relaxation import Lines, Staircase
from tinyrobust.models.bounds.network import INPUT, Network
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.twin.requantize import Tensor

Box = tuple[Tensor, Tensor]
"""Least and largest value of every element, float64 [n, size]."""
Expression = tuple[dict[int, Tensor], Tensor, Tensor]
"""Coefficients [n, q, size] of nodes or ``INPUT``, a constant [n, q], and a bound of the error that
is in them already, [n, q].
"""
_ROUNDOFF = 2.0**-53


@dataclass(frozen=True)
class Held:
    """``low <= z <= high`` of one node, where a search assumes it, and how much it counts for.

    An expression is still bounded from below after ``b * (z - low)`` is taken off, for any ``b``
    that is not negative, and likewise at the other end (the Lagrange multipliers of beta-CROWN,
    Wang et al., arXiv:2103.06624). Here ``b`` is a ``share`` of the magnitude of the coefficient
    that the node's output has in the expression.
    """

    low: Tensor
    high: Tensor
    """float64 [n, size]."""
    low_share: Tensor
    high_share: Tensor
    """float64 [n, q, size], 0 or more; 0 where nothing is assumed."""

    def taken_off(self, z: Tensor, size: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Coefficients ``z`` of an expression with both held, what that adds, and the magnitude.

        ``size`` is that of the coefficients of the node's output, all [n, q, size].
        """
        low, high = self.low_share * size, self.high_share * size
        return z - low + high, _dot(low, self.low) - _dot(high, self.high), size + low + high


@dataclass(frozen=True)
class Bounded:
    """What is known of one node over a batch of boxes."""

    box: Box
    around: Staircase | None
    lines: Lines | None
    """None, both, for what nothing but its box is known of."""
    maximum: Maximum | None
    z: Box | None = None
    """Of an affine operator: its value before rounding and clamp."""
    held: Held | None = None


@dataclass(frozen=True)
class Descent:
    """Lower bounds [n, q] of expressions, and their last coefficients, of the input [n, q, in]."""

    bound: Tensor
    coefficients: Tensor


def descend(
    network: Network,
    operators: Sequence[Affine | None],
    known: Sequence[Bounded],
    box: Box,
    expression: Expression,
) -> Descent:
    """Bounds an expression in outputs of nodes from below, [n, q], over ``box`` of the input."""
    open_, value, slack = dict(expression[0]), *expression[1:]
    bound = at_ends(network, known, box, open_, value, slack)
    for i in range(max(open_), INPUT, -1):
        if i not in open_:
            continue
        c = open_.pop(i)
        fed, more, lost = _back(network, i, operators[i], known[i], c)
        value, slack = value + more, slack + lost
        for at, part in zip(network.nodes[i].inputs, fed, strict=False):
            open_[at] = open_[at] + part if at in open_ else part
        here = at_ends(network, known, box, open_, value, slack)
        bound = tf.maximum(bound, here)
    none = tf.zeros((*tf.unstack(tf.shape(value)), network.input_size), tf.float64)
    return Descent(bound, open_.get(INPUT, none))


def at_ends(
    network: Network,
    known: Sequence[Bounded],
    box: Box,
    open_: dict[int, Tensor],
    value: Tensor,
    slack: Tensor,
) -> Tensor:
    """The same expression at the ends of what it stands in, [n, q]."""
    end = float(max(map(abs, network.ends)))
    for i, c in open_.items():
        low, high = box if i == INPUT else known[i].box
        size = abs(c)
        value += _dot(c, (low + high) / 2) - _dot(size, (high - low) / 2)
        terms = (network.size(i) + 32) * _ROUNDOFF
        slack += 2 * terms * end * tf.reduce_sum(size, -1)
    return value - 2 * slack - 1e-30  # and what float64 flushes to zero


def _back(
    network: Network, i: int, op: Affine | None, y: Bounded, c: Tensor
) -> tuple[list[Tensor], Tensor, Tensor]:
    """Coefficients of a node's output as those of its inputs, what is added and what is lost."""
    size = abs(c)
    if y.lines is None:
        low, high = y.box
        add = _dot(c, (low + high) / 2) - _dot(size, (high - low) / 2)
        return [], add, _rounded(network, i, size)
    line = y.lines
    middle = (line.lower_slope + line.upper_slope) / 2
    half = (line.lower_slope - line.upper_slope) / 2
    add = _dot(c, (line.lower + line.upper) / 2) + _dot(size, (line.lower - line.upper) / 2)
    z = c * _spread(middle) + size * _spread(half)
    if y.maximum is not None:
        (at,) = network.nodes[i].inputs
        up, down = tf.maximum(z, 0), tf.minimum(z, 0)
        fed, more = y.maximum.backward(up, down, network.size(at))
        return [fed], add + more, _rounded(network, i, size)
    assert op is not None
    if y.held is not None:
        z, more, size = y.held.taken_off(z, size)
        add += more
    n, q = tf.unstack(tf.shape(c)[:2])
    parts = op.backward(tf.reshape(z, (n * q, -1)))
    fed_all = [tf.reshape(part, (n, q, s)) for part, s in zip(parts, op.sizes, strict=True)]
    lost = op.roundoff * tf.linalg.matvec(size, tf.constant(op.magnitude))
    return fed_all, add + tf.linalg.matvec(z, tf.constant(op.constant)), lost


def _rounded(network: Network, i: int, size: Tensor) -> Tensor:
    """Error of a step over a node whose lines, or ends, are of the type's size."""
    end = float(max(map(abs, network.ends)))
    inputs = max(network.size(at) for at in network.nodes[i].inputs)
    terms = network.size(i) + inputs + 32
    return terms * _ROUNDOFF * (16 * end + 16) * tf.reduce_sum(size, -1)


def _dot(c: Tensor, x: Tensor) -> Tensor:
    """[n, q, size] and [n, size] or [n, q, size] -> [n, q]."""
    return tf.linalg.matvec(c, x) if len(x.shape) == 2 else tf.reduce_sum(c * x, -1)


def _spread(x: Tensor) -> Tensor:
    """[n, size] -> [n, 1, size]; [n, q, size] as it is."""
    return x[:, None] if len(x.shape) == 2 else x
