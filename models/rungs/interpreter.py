"""TensorFlow Lite Micro's interpreter behind a pipe: the child process of ``oracle.py``.

``python -m tinyrobust.models.rungs.interpreter`` has tensor indices as arguments where inner
tensors are wanted; frames on its stdin and stdout are a little-endian uint32 length and that many
bytes. Requests: the model, then batches of samples back to back, an empty one to ask for the
arena's size. Answers start with ``K`` (well) or ``E`` (UTF-8 reason).
"""

from __future__ import annotations

import os
import re
import struct
import sys
from typing import Any

import numpy as np

LENGTH = struct.Struct("<I")
_ARENA = re.compile(rb"Arena allocation total (\d+) bytes")
_ARENA_SLACK = 4 << 20
_LOG_BYTES = 2000


def tail(log: int) -> bytes:
    """The last bytes of file ``log``.

    They are read without moving the place at which the child goes on writing.
    """
    return os.pread(log, _LOG_BYTES, max(0, os.fstat(log).st_size - _LOG_BYTES))


def main() -> None:
    """Answers requests until stdin ends."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever the C++ side prints stays out of the frames
    tensors = [int(a) for a in sys.argv[1:]]
    interpreter: Any = None
    while head := requests.read(LENGTH.size):
        request = requests.read(LENGTH.unpack(head)[0])
        try:
            if interpreter is None:
                interpreter = _interpreter(request, bool(tensors))
                answer = b"K"
            else:
                answer = b"K" + (
                    _infer(interpreter, request, tensors) if request else _arena(interpreter)
                )
        except (RuntimeError, ValueError) as err:
            answer = b"E" + str(err).encode() + b" " + tail(2)
        os.ftruncate(2, 0)  # what is said from here on is about the next request
        os.lseek(2, 0, os.SEEK_SET)
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _interpreter(tflite: bytes, preserve: bool) -> Any:
    from tflite_micro.python.tflite_micro import runtime

    kinds = runtime.InterpreterConfig
    kind = kinds.kPreserveAllTensors if preserve else kinds.kAllocationRecording
    return runtime.Interpreter.from_bytes(
        tflite, arena_size=10 * len(tflite) + _ARENA_SLACK, intrepreter_config=kind
    )


def _infer(interpreter: Any, batch: bytes, tensors: list[int]) -> bytes:
    details = interpreter.get_input_details(0)
    samples = np.frombuffer(batch, details["dtype"]).reshape(
        -1, *(int(n) for n in details["shape"])
    )
    out = bytearray()
    for sample in samples:
        interpreter.set_input(sample, 0)
        interpreter.invoke()
        if not tensors:
            out += interpreter.get_output(0).tobytes()
        for i in tensors:
            out += np.asarray(interpreter.GetTensor(i, 0)["tensor_data"]).tobytes()
    return bytes(out)


def _arena(interpreter: Any) -> bytes:
    interpreter.print_allocations()
    found = _ARENA.search(os.pread(2, os.fstat(2).st_size, 0))
    return found[1] if found else b""


if __name__ == "__main__":
    main()
