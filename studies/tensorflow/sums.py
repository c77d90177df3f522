"""Every operator of a network's sums at small shapes, TensorFlow against integers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

from tinyrobust.models.keras.onednn import as_written
from tinyrobust.models.keras.tf import tf
from tinyrobust.studies.tensorflow.cases import Case, Sums

OPERATORS = ("Conv2D", "Depthwise", "MatMul", "AvgPool", "MaxPool")
_AT_ONCE = 32
"""Cases in one graph: each graph is traced, and traces cost more than sums."""


class Finding(NamedTuple):
    """``answer`` is a field of ``Sums``; ``mode`` is eager or graph."""

    case: Case
    mode: str
    answer: str


def cases(operator: str, number: int, seed: int = 0) -> list[Case]:
    """``number`` of the shapes of ``operator``, or all, in an order that ``seed`` gives."""
    axes = _axes(operator)
    sizes = [len(axis) for axis in axes]
    found: list[Case] = []
    for at in np.random.default_rng(seed).permutation(int(np.prod(sizes))):
        values = zip(axes, np.unravel_index(at, sizes), strict=True)
        case = Case(operator, *(axis[int(i)] for axis, i in values))
        if min(case.out) >= 1 and (case.stride == (1, 1) or case.dilation == (1, 1)):
            found.append(case)
        if len(found) == number:
            break
    return found


def _axes(operator: str) -> list[Sequence[Any]]:
    """What each field of a case is taken from, after the operator."""
    one, small = [(1, 1)], [1, 2, 3]
    if operator == "MatMul":
        return [range(1, 18), one, range(1, 34), range(1, 18), one, one, ["VALID"], one]
    pairs = list(itertools.product(small, small))
    sizes = list(itertools.product(range(1, 6), range(1, 6)))
    pools, depthwise = operator.endswith("Pool"), operator == "Depthwise"
    strides = [(s, s) for s in small] if depthwise else pairs
    uneven = [] if pools else [((1, 0), (0, 1)), ((0, 1), (1, 1))]
    dilations = list(itertools.product((1, 2), (1, 2))) if operator == "Conv2D" else one
    paddings = ["SAME", "VALID", *uneven]
    return [small, sizes, small, [1] if pools else small, pairs, strides, paddings, dilations]


def one_column() -> list[Case]:
    """Small shapes of CONV_2D with one input channel and stride (1, more), to one column."""
    paddings: list[Any] = ["SAME", "VALID", ((1, 0), (0, 1))]
    axes = ((1, 2), (1, 3), (1, 2, 3), (1, 2), (2, 3), (2, 3), paddings)
    every = [
        Case("Conv2D", n, (rows, columns), 1, outputs, (1, taps), (1, stride), padding)
        for n, rows, columns, outputs, taps, stride, padding in itertools.product(*axes)
    ]
    return [case for case in every if case.out[0] >= 1 and case.out[1] == 1]


def taken_for_another(mended: bool) -> bool:
    """Whether 7 x 1, depthwise, and then 7 x 1 + 3 of the same size are not 7 and 10, or fail.

    What is not mended leaves its primitive in this process for what is asked next.
    """
    x, one = tf.fill((1, 1, 1, 1), 7.0), tf.ones((1, 1, 1, 1))
    with nullcontext() if mended else as_written():
        plain = tf.function(lambda x: tf.nn.depthwise_conv2d(x, one, (1, 1, 1, 1), "VALID"))
        biased = tf.function(lambda x: tf.nn.bias_add(tf.nn.conv2d(x, one, 1, "VALID"), [3.0]))
        try:  # twice: what a graph gives first is not optimized
            return [float(tf.squeeze(f(x))) for f in (plain, plain, biased, biased)] != [
                7,
                7,
                10,
                10,
            ]
        except tf.errors.AbortedError:
            return True


def findings(chosen: Sequence[Case], mended: bool, eager: bool, seed: int = 0) -> Iterator[Finding]:
    """Answers to ``chosen`` that are not the integers', as TensorFlow gives them or ``mended``.

    ``eager``: operator by operator, else in graphs that TensorFlow optimizes.
    """
    rng = np.random.default_rng(seed)
    for start in range(0, len(chosen), _AT_ONCE):
        group = chosen[start : start + _AT_ONCE]
        operands = [case.operands(rng) for case in group]
        given = [[tf.constant(part, tf.float32) for part in parts] for parts in operands]

        def answers(given: Any, group: Sequence[Case] = group) -> list[Sums]:
            return [case.tensors(*parts) for case, parts in zip(group, given, strict=True)]

        with nullcontext() if mended else as_written():
            run = answers if eager else tf.function(answers, autograph=False)
            got = [run(given) for _ in range(1 if eager else 2)][-1]  # the first is not optimized
        for case, parts, sums in zip(group, operands, got, strict=True):
            for name, value, right in zip(Sums._fields, sums, case.integers(*parts), strict=True):
                if value is not None and not _equal(case, value.numpy(), right):
                    yield Finding(case, "eager" if eager else "graph", name)


def _equal(case: Case, value: Any, right: Any) -> bool:
    if case.operator == "AvgPool":  # multiplied by 1/9, say: rounded
        return bool(np.allclose(value, right, rtol=1e-5, atol=1e-3))
    return np.array_equal(value, right)
