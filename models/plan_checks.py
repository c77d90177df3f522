"""One operator under its checks. Every refusal is a ValueError that the compiler prefixes with the operator's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from host import layout
from models import fixed_point
from models.graph import Graph, Operator, Tensor, type_name
from models.plan_layout import CONSTANT_ALIGN, MAX_DIM, RECORDS, Head, Kind
from models.schema import ACTIVATION, schema

INT8 = schema.TensorType.INT8
INT32 = schema.TensorType.INT32


def fail(why: str) -> NoReturn:
    """Refuses the operator."""
    raise ValueError(why)


class Constants:
    """Constants back to back, aligned. Addresses are bytes from the start of the plan, where ``base`` is the first."""

    def __init__(self, base: int) -> None:
        self.base = base
        self.data = bytearray()

    def add(self, values: NDArray[Any]) -> int:
        """Appends ``values``, little-endian; returns their address."""
        self.data += bytes(-len(self.data) % CONSTANT_ALIGN)
        at = self.base + len(self.data)
        self.data += values.astype(values.dtype.newbyteorder("<")).tobytes()
        return at


@dataclass(frozen=True)
class Checked:
    """An operator with the graph around it. ``offsets`` maps a tensor's index to its arena offset."""

    graph: Graph
    op: Operator
    offsets: Mapping[int, int]
    constants: Constants

    @property
    def out(self) -> Tensor:
        """The one output, int8."""
        if len(self.op.outputs) != 1:
            fail(f"it has {len(self.op.outputs)} outputs, 1 is supported")
        return check_activation(self.graph.tensors[self.op.outputs[0]])

    @property
    def options(self) -> Any:
        """The options table, which must be there."""
        if self.op.options is None:
            fail("its options are missing")
        return self.op.options

    def has(self, i: int) -> bool:
        """Whether optional input ``i`` is there."""
        return i < len(self.op.inputs) and self.op.inputs[i] >= 0

    def tensor(self, i: int) -> Tensor:
        """Input ``i``, which must be there."""
        if not self.has(i):
            fail(f"input {i} is missing")
        return self.graph.tensors[self.op.inputs[i]]

    def activation(self, i: int) -> Tensor:
        """Input ``i``, an int8 tensor that is computed at run time."""
        t = check_activation(self.tensor(i))
        if t.data is not None:
            fail(f"input {i} is a constant, which is not supported")
        return t

    def at(self, t: Tensor) -> int:
        """Arena offset of ``t``."""
        return self.offsets[t.index]

    def head(self, kind: Kind) -> Head:
        """The start of the record."""
        return Head(kind, self.op.index, layout.size(RECORDS[kind]), self.at(self.out), self.out.size)

    def act_range(self, fused: int) -> tuple[int, int]:
        """Clamp of the output under the fused activation."""
        return fixed_point.activation_range(ACTIVATION.get(fused, str(fused)), scale(self.out), zero_point(self.out))

    def expect_output(self, shape: tuple[int, ...]) -> None:
        """Refuses an output whose shape is not the computed one."""
        if self.out.shape != shape:
            fail(f"its output is {list(self.out.shape)}, {list(shape)} follows from its input")


def check_activation(t: Tensor) -> Tensor:
    """``t`` if it is int8 with one sound scale and zero point and 1 to 4 bounded dimensions."""
    if t.tflite_type != INT8:
        fail(f"tensor {t.index} ({t.name}) is {type_name(t)}, INT8 is supported")
    if t.scales.size != 1 or t.zero_points.size != 1:
        fail(f"tensor {t.index} ({t.name}) has {t.scales.size} scales, 1 is supported")
    check_scales(t)
    if not -128 <= t.zero_points[0] <= 127:
        fail(f"tensor {t.index} ({t.name}) has zero point {t.zero_points[0]}, which is not int8")
    if not 1 <= len(t.shape) <= 4 or min(t.shape) < 1 or max(t.shape) > MAX_DIM:
        fail(f"tensor {t.index} ({t.name}) has shape {list(t.shape)}, 1 to 4 dimensions of 1 to {MAX_DIM} fit")
    return t


def check_scales(t: Tensor) -> None:
    """Refuses scales that are not positive numbers."""
    if not (np.isfinite(t.scales).all() and (t.scales > 0).all()):
        fail(f"tensor {t.index} ({t.name}) has a scale that is not a positive number")


def scale(t: Tensor) -> float:
    """The float32 scale, as a double."""
    return float(t.scales[0])


def zero_point(t: Tensor) -> int:
    """The zero point."""
    return int(t.zero_points[0])


def nhwc(t: Tensor) -> tuple[int, int, int]:
    """Height, width, channels of one sample."""
    if len(t.shape) != 4 or t.shape[0] != 1:
        fail(f"tensor {t.index} ({t.name}) has shape {list(t.shape)}, [1, height, width, channels] is supported")
    return t.shape[1], t.shape[2], t.shape[3]


def same_quantization(a: Tensor, b: Tensor) -> None:
    """Refuses a pair that would need requantization where the operator does none."""
    if scale(a) != scale(b) or zero_point(a) != zero_point(b):
        fail("its input and output differ in scale or zero point")


def positive(what: str, *values: int) -> None:
    """Refuses window parameters out of range."""
    if not all(1 <= v <= MAX_DIM for v in values):
        fail(f"{what} is {list(values)}, 1 to {MAX_DIM} is supported")


def is_same(padding: int) -> bool:
    """SAME (True) or VALID (False)."""
    if padding not in (schema.Padding.SAME, schema.Padding.VALID):
        fail(f"padding {padding} is unknown")
    return bool(padding == schema.Padding.SAME)
