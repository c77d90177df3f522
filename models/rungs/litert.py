"""LiteRT's optimized kernels: fast, and one level off now and then."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.grid import input_grid, to_model_input
from tinyrobust.core.plain import one_line
from tinyrobust.core.types import IntArray, Prediction, TensorSpec
from tinyrobust.models.plan.compiler import compile_plan

VERSION = f"ai-edge-litert {version('ai-edge-litert')}"
"""Another one may round differently."""


class LiteRtPredictor:
    """``tflite``, which ``compile_plan`` takes, in LiteRT on one thread.

    ``spec`` is the ladder's grid, where the model's input is int16.
    """

    rung = "litert"

    def __init__(self, tflite: bytes, spec: TensorSpec | None = None) -> None:
        from ai_edge_litert.interpreter import Interpreter

        plan = compile_plan(tflite)
        self.input: TensorSpec = spec or input_grid(plan.input)
        self.output: TensorSpec = plan.output
        self._grid = plan.input
        try:
            self._interpreter = Interpreter(model_content=tflite, num_threads=1)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as err:
            raise UsageError(
                f"LiteRT does not run this model ({one_line(err)}): search on the twin"
            ) from None
        self._source = self._interpreter.get_input_details()[0]["index"]
        self._sink = self._interpreter.get_output_details()[0]["index"]

    def predict(self, q: IntArray) -> Prediction:
        """Raw outputs in ``output.dtype`` and their real values for ``q`` [n, *shape]."""
        raw = np.zeros((len(q), self.output.size), self.output.dtype)
        for i, row in enumerate(to_model_input(q, self.input, self._grid)):
            self._interpreter.set_tensor(self._source, row.reshape(1, *self._grid.shape))
            self._interpreter.invoke()
            raw[i] = self._interpreter.get_tensor(self._sink).reshape(-1)
        return Prediction(self.output.dequantize(raw), raw)
