"""The network up to its logits, and what the SOFTMAX at its end makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrobust.core.abi.plan import Reshape
from tinyrobust.core.types import IntArray
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.plan.compiler import compile_plan
from tinyrobust.models.plan.reader import read_plan
from tinyrobust.models.rungs.twin.operators import operator
from tinyrobust.models.tflite.logits import without_softmax


class LogitsNetwork:
    """``tflite``, a plan of its own, is ``whole`` without its SOFTMAX.

    An int8 score of a SOFTMAX saturates, and hides what a small change does to the logits.
    """

    def __init__(self, whole: bytes, tflite: bytes) -> None:
        compiled = compile_plan(tflite)
        self.tflite = tflite
        self.plan, self.plan_id, self.output = compiled.data, compiled.plan_id, compiled.output
        program = read_plan(compile_plan(whole).data)
        tail = [r for r in program.records[len(compiled.ops) :] if not isinstance(r, Reshape)]

        def softmax(x: Any) -> Any:
            for record in tail:
                x = operator(program, record, x)
            return x

        row = tf.TensorSpec((None, self.output.size), tf.float32)
        self._softmax = tf.function(softmax, input_signature=[row])

    def outputs(self, raw: IntArray) -> IntArray:
        """The whole network's outputs, byte for byte, of these logits [n, outputs]."""
        made = self._softmax(tf.constant(raw.astype(np.float32))).numpy()
        return np.asarray(made.reshape(len(raw), -1), raw.dtype)


def logits_network(tflite: bytes) -> LogitsNetwork | None:
    """``tflite`` up to its logits; None where it ends in no SOFTMAX."""
    cut = without_softmax(tflite)
    return None if cut is None else LogitsNetwork(tflite, cut)
