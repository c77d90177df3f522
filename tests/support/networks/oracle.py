"""tflite-micro, the oracle every integer rung is held against.

In this process: for sound models of ours only.
"""

from __future__ import annotations

import numpy as np
import pytest

from tinyrobust.core.types import IntArray

ARENA_BYTES = 1 << 20


def tflm(tflite: bytes, q: IntArray) -> IntArray:
    """What tflite-micro answers to ``q`` [n, *shape], integers of the model's input, as [n,
    outputs] of its output.
    """
    interpreter = _runtime().Interpreter.from_bytes(tflite, arena_size=ARENA_BYTES)
    return np.stack([_run(interpreter, row).reshape(-1) for row in q])


def tflm_tensors(tflite: bytes, q: IntArray, tensors: list[int]) -> list[IntArray]:
    """The values of ``tensors`` (indices in the file) for one sample ``q``."""
    runtime = _runtime()
    keep = runtime.InterpreterConfig.kPreserveAllTensors
    interpreter = runtime.Interpreter.from_bytes(
        tflite, arena_size=8 * ARENA_BYTES, intrepreter_config=keep
    )
    _run(interpreter, q)
    return [np.array(interpreter.GetTensor(i, 0)["tensor_data"]) for i in tensors]


def _runtime():
    return pytest.importorskip(
        "tflite_micro", reason="there is no tflite-micro wheel for this platform"
    ).runtime


def _run(interpreter, sample: IntArray) -> IntArray:
    interpreter.set_input(sample[None], 0)
    interpreter.invoke()
    return interpreter.get_output(0).copy()
