"""The .tflite schema classes, and the two helpers every reader of an untrusted file needs.

The classes come from ``ai_edge_litert.schema_py_generated`` (generated from TFLite's schema.fbs,
version 3). Its lazy readers only touch what is asked for, so a hostile file cannot make them unpack
more than the caller bounds.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager

from ai_edge_litert import schema_py_generated as schema

from tinyrobust.core.errors import UsageError

__all__ = ["ACTIVATION", "OPERATOR", "TENSOR_TYPE", "names", "parsing", "schema"]


def names(enum: type) -> dict[int, str]:
    """Number to name of a generated enum class."""
    return {value: name for name, value in vars(enum).items() if isinstance(value, int)}


OPERATOR = names(schema.BuiltinOperator)
TENSOR_TYPE = names(schema.TensorType)
ACTIVATION = names(schema.ActivationFunctionType)


@contextmanager
def parsing(what: str) -> Iterator[None]:
    """Turns what a flatbuffer reader throws at garbage into one UsageError that names ``what``."""
    try:
        yield
    except (
        struct.error,
        IndexError,
        ValueError,
        TypeError,
        OverflowError,
        AttributeError,
        MemoryError,
    ) as err:
        raise UsageError(
            f"{what} is corrupted: {err or type(err).__name__}; export the model again"
        ) from None
