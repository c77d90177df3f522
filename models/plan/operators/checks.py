"""One operator under its checks.

Every refusal is a ValueError that the compiler prefixes with the operator's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from tinyrobust.core.abi import layout
from tinyrobust.core.abi.plan import MAX_DIM, MAX_EXTENT, RECORDS, Head, Kind
from tinyrobust.models.plan import fixed_point
from tinyrobust.models.plan.constants import Constants
from tinyrobust.models.tflite.reader import Graph, Operator, Tensor, type_name
from tinyrobust.models.tflite.schema import ACTIVATION, TENSOR_TYPE, schema

INT8 = schema.TensorType.INT8
INT16 = schema.TensorType.INT16
INT32 = schema.TensorType.INT32
INT64 = schema.TensorType.INT64

ACTIVATION_TYPES: dict[int, type[np.int8] | type[np.int16]] = {INT8: np.int8, INT16: np.int16}
"""Types of activations; one model has one of them throughout."""


def fail(why: str) -> NoReturn:
    """Refuses the operator."""
    raise ValueError(why)


@dataclass(frozen=True)
class Checked:
    """An operator with the graph around it.

    ``offsets`` maps a tensor's index to its arena offset.
    """

    graph: Graph
    op: Operator
    offsets: Mapping[int, int]
    constants: Constants

    @property
    def out(self) -> Tensor:
        """The one output, of the model's activation type."""
        if len(self.op.outputs) != 1:
            fail(f"it has {len(self.op.outputs)} outputs, 1 is supported")
        return self._activation(self.graph.tensors[self.op.outputs[0]])

    @property
    def wide(self) -> bool:
        """Whether the model's activations are int16."""
        return bool(self.graph.tensors[self.graph.inputs[0]].tflite_type == INT16)

    def kind(self, name: str) -> Kind:
        """The kind ``name`` for the model's activation type."""
        return Kind[f"{name}_{'S16' if self.wide else 'S8'}"]

    def _activation(self, t: Tensor) -> Tensor:
        expected = INT16 if self.wide else INT8
        if t.tflite_type != expected:
            fail(
                f"tensor {t.index} ({t.name}) is {type_name(t)} in a model of "
                f"{TENSOR_TYPE[expected]} activations"
            )
        return check_activation(t)

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
        """Input ``i``, a tensor that is computed at run time."""
        t = self._activation(self.tensor(i))
        if t.data is not None:
            fail(f"input {i} is a constant, which is not supported")
        return t

    def at(self, t: Tensor) -> int:
        """Arena offset of ``t``."""
        return self.offsets[t.index]

    def head(self, kind: Kind) -> Head:
        """The start of the record."""
        return Head(
            kind, self.op.index, layout.size(RECORDS[kind]), self.at(self.out), bytes_of(self.out)
        )

    def act_range(self, fused: int) -> tuple[int, int]:
        """Clamp of the output under the fused activation."""
        out, name = self.out, ACTIVATION.get(fused, str(fused))
        ends = np.iinfo(ACTIVATION_TYPES[out.tflite_type])
        return fixed_point.activation_range(
            name, scale(out), zero_point(out), int(ends.min), int(ends.max)
        )

    def expect_output(self, shape: tuple[int, ...]) -> None:
        """Refuses an output whose shape is not the computed one."""
        if self.out.shape != shape:
            fail(f"its output is {list(self.out.shape)}, {list(shape)} follows from its input")


def check_activation(t: Tensor) -> Tensor:
    """``t`` if it is an activation that the kernels can take.

    That is int8 or int16 with one sound scale and zero point and 1 to 4 bounded dimensions.
    """
    if t.tflite_type not in ACTIVATION_TYPES:
        fail(f"tensor {t.index} ({t.name}) is {type_name(t)}, INT8 and INT16 are supported")
    if t.scales.size != 1 or t.zero_points.size != 1:
        fail(f"tensor {t.index} ({t.name}) has {t.scales.size} scales, 1 is supported")
    check_scales(t)
    low, high = (-128, 127) if t.tflite_type == INT8 else (0, 0)
    if not low <= t.zero_points[0] <= high:
        fail(
            f"tensor {t.index} ({t.name}) has zero point {t.zero_points[0]}, {type_name(t)} takes "
            f"{low} to {high}"
        )
    if not 1 <= len(t.shape) <= 4 or min(t.shape) < 1 or max(t.shape) > MAX_DIM:
        fail(
            f"tensor {t.index} ({t.name}) has shape {list(t.shape)}, 1 to 4 dimensions of 1 to "
            f"{MAX_DIM} fit"
        )
    return t


def check_scales(t: Tensor) -> None:
    """Refuses scales that are not positive numbers."""
    if not (np.isfinite(t.scales).all() and (t.scales > 0).all()):
        fail(f"tensor {t.index} ({t.name}) has a scale that is not a positive number")


def bytes_of(t: Tensor) -> int:
    """Size of an activation in bytes."""
    return t.size * np.dtype(ACTIVATION_TYPES[t.tflite_type]).itemsize


def scale(t: Tensor) -> float:
    """The float32 scale, as a double."""
    return float(t.scales[0])


def zero_point(t: Tensor) -> int:
    """The zero point."""
    return int(t.zero_points[0])


def nhwc(t: Tensor) -> tuple[int, int, int]:
    """Height, width, channels of one sample."""
    if len(t.shape) != 4 or t.shape[0] != 1:
        fail(
            f"tensor {t.index} ({t.name}) has shape {list(t.shape)}, [1, height, width, channels] "
            "is supported"
        )
    return t.shape[1], t.shape[2], t.shape[3]


def same_quantization(a: Tensor, b: Tensor) -> None:
    """Refuses a pair that would need requantization where the operator does none."""
    if scale(a) != scale(b) or zero_point(a) != zero_point(b):
        fail("its input and output differ in scale or zero point")


def within(what: str, limit: int, *values: int) -> None:
    """Refuses dimensions and window parameters out of 1 to ``limit``."""
    if not all(1 <= v <= limit for v in values):
        fail(f"{what} is {list(values)}, 1 to {limit} is supported")


def sliding(
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    same: bool,
) -> tuple[fixed_point.Window, fixed_point.Window]:
    """Rows and columns of what a window makes of ``size`` (height, width).

    Raises ValueError beyond what the kernels reach.
    """
    within("its input", MAX_EXTENT, *size)
    within("its kernel", MAX_EXTENT, *kernel)
    within("its stride", MAX_EXTENT, *stride)
    within("its dilation", MAX_EXTENT, *dilation)
    within(
        "its dilated kernel",
        MAX_EXTENT,
        *((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)),
    )
    rows = fixed_point.window(size[0], kernel[0], stride[0], dilation[0], same)
    return rows, fixed_point.window(size[1], kernel[1], stride[1], dilation[1], same)


def is_same(padding: int) -> bool:
    """SAME (True) or VALID (False)."""
    if padding not in (schema.Padding.SAME, schema.Padding.VALID):
        fail(f"padding {padding} is unknown")
    return bool(padding == schema.Padding.SAME)
