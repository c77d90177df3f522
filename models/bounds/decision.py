"""From bounds to a decision: is the label's output the largest at every point of a box?

Ties count against. A label is proven against another class by single outputs (its lowest above the
other's highest) or by their difference: requantization is monotone, so a difference of ``z`` that
is more than both roundings together is a difference of outputs, as far as no clamp is in between.
The difference is bounded as one expression, in which what both classes share cancels; its factors
may differ from channel to channel, as they stand in the coefficients.

Where the network ends in SOFTMAX, its inputs are decided on, but a certificate is about the bytes
that come out: inputs that differ by too little give equal probabilities. ``needed`` is how many
levels are enough for two different bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.abi.plan import Softmax, SoftmaxTable
from tinyrobust.core.types import BoolArray, Int64Array
from tinyrobust.models.bounds.lines.affine import Affine
from tinyrobust.models.rungs.twin.softmax import input_scale
from tinyrobust.models.rungs.twin.softmax_int16 import input_scale as table_input_scale


@dataclass(frozen=True)
class Scores:
    """What is known of the outputs over n boxes, K classes."""

    low: Int64Array
    high: Int64Array
    """Ends of each output, [n, K]."""
    difference: NDArray[np.float64] | None
    """Lower bounds of ``z`` of the label less ``z`` of each class, [n, K]; None without one."""


def needed(softmax: Softmax | SoftmaxTable | None, classes: int) -> int:
    """By how many levels the label's output has to lead for a strictly larger byte to come out.

    1 without SOFTMAX. With it: leading by m levels, the label's probability is the largest, and
    above any other by (1 - e) / (1 + (K - 1) e) at least, with e = exp(-m * beta * scale): the sum
    of all exponentials is largest where all others are as near as they may be. In steps of the
    output this has to be more than the two roundings (half a step each) and what the fixed-point
    exponential and reciprocal are off by: half a step on int8, where they carry 19 bits and more;
    4 steps on int16, where both come out of tables of 16 bits. As the integer kernel's exponential
    never falls where its argument rises, what holds at this lead holds beyond it.
    """
    if softmax is None or classes < 2:
        return 1
    if isinstance(softmax, Softmax):
        sharpness, steps, room = input_scale(softmax), 256, 1.5
    else:
        sharpness, steps, room = table_input_scale(softmax), 32768, 5.0
    # (1 - e) / (1 + (K - 1) e) > r is e < (1 - r) / (1 + (K - 1) r).
    share = room / steps
    least = -math.log((1 - share) / (1 + (classes - 1) * share)) / sharpness
    return math.floor(least) + 1


def proven(scores: Scores, labels: Int64Array, last: Affine | None, lead: int = 1) -> BoolArray:
    """Which boxes are proven to give their label everywhere, bool [n].

    ``last`` is the operator that makes the outputs, ``lead`` what ``needed`` says.
    """
    n = len(scores.low)
    rows = np.arange(n)
    own = scores.low[rows, labels][:, None]
    ahead = own - scores.high >= lead
    if scores.difference is not None and last is not None:
        error = last.error[labels][:, None] + last.error[None, :]
        rounded_ahead = scores.difference - error > lead - 1
        ahead |= rounded_ahead & clear(scores, labels, last, lead)
    ahead[rows, labels] = True
    return np.asarray(ahead.all(axis=1), np.bool_)


def clear(scores: Scores, labels: Int64Array, last: Affine, lead: int) -> BoolArray:
    """Where no clamp makes a lead of the label smaller, bool [n, K].

    Clamped at the top, two outputs may be equal, and at the bottom. It is enough that one of the
    two stays off each clamp: the label at the top, where it is the larger one, and the other class
    at the bottom; or the other one so far below the top, and the label so far above the bottom,
    that a clamp leaves the lead there.
    """
    rows = np.arange(len(labels))
    least, most = scores.low[rows, labels][:, None], scores.high[rows, labels][:, None]
    top = (scores.high <= last.high - lead) | (most < last.high)
    bottom = (least >= last.low + lead) | (scores.low > last.low)
    found: BoolArray = top & bottom
    return found
