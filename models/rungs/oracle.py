"""TensorFlow Lite Micro's own interpreter on the host, in a child process.

A hostile model can crash or hang it. ``interpreter.py`` is the child, and says what it is told.
"""

from __future__ import annotations

import contextlib
import os
import platform
import select
import signal
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from types import TracebackType
from typing import IO

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import IntArray, TensorSpec
from tinyrobust.models.rungs.interpreter import LENGTH, tail

MAX_FRAME = 1 << 28
START_SECONDS = 60.0
SECONDS_PER_SAMPLE = 30.0
BATCH = 32
_LAST_WORDS = 200


def unavailable() -> str | None:
    """Why there is no tflite-micro here, or None where there is."""
    if find_spec("tflite_micro") is not None:
        return None
    return (
        f"the PyPI package tflite-micro has no wheel for {platform.system()} {platform.machine()}"
    )


class Oracle:
    """tflite-micro running one model.

    Raises UsageError naming ``name`` when it refuses, crashes or hangs.

    It answers with the output, or, where ``tensors`` names some by their index in the file, with
    those, one after another; ``sink`` is then only asked for its size, the bytes of all of them.
    """

    def __init__(
        self,
        tflite: bytes,
        source: TensorSpec,
        sink: TensorSpec,
        name: str,
        tensors: tuple[int, ...] = (),
    ) -> None:
        reason = unavailable()
        if reason is not None:
            raise UsageError(f"tflite-micro cannot run {name}: {reason}")
        self.name = name
        self._source, self._sink = source, sink
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - read after the child
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tinyrobust.models.rungs.interpreter", *map(str, tensors)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is the parent's to handle
        )
        try:
            self._ask(tflite, START_SECONDS)
            self.arena_bytes = None if tensors else self._measure()
        except BaseException:
            self.close()
            raise

    def run(self, q: IntArray) -> IntArray:
        """Raw outputs [n, *output.shape] for ``q`` [n, *input.shape].

        Both hold integers of the model's own tensors.
        """
        if q.dtype != self._source.dtype or q.shape[1:] != self._source.shape:
            raise UsageError(
                f"{self.name} takes {self._source.dtype} {self._source.shape}, got {q.dtype} "
                f"{q.shape[1:]}"
            )
        answers = [
            self._ask(q[i : i + BATCH].tobytes(), SECONDS_PER_SAMPLE * BATCH)
            for i in range(0, len(q), BATCH)
        ]
        data = b"".join(answers)
        dtype = np.dtype(self._sink.dtype)
        if len(data) != len(q) * self._sink.size * dtype.itemsize:
            raise UsageError(
                f"tflite-micro answered {len(data)} bytes for {len(q)} samples of {self.name}"
            )
        raw: IntArray = np.frombuffer(data, dtype).reshape(len(q), *self._sink.shape).copy()
        return raw

    def _measure(self) -> int | None:
        """Arena bytes that tflite-micro reports for one inference, None where it reports none."""
        self.run(np.full((1, *self._source.shape), self._source.zero_point, self._source.dtype))
        answer = self._ask(b"", START_SECONDS)
        return int(answer) if answer else None

    def _ask(self, request: bytes, seconds: float) -> bytes:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        deadline = time.monotonic() + seconds
        try:
            self._child.stdin.write(LENGTH.pack(len(request)) + request)
            self._child.stdin.flush()
            answer = _read_frame(self._child.stdout, deadline)
        except (BrokenPipeError, EOFError):
            raise UsageError(f"tflite-micro {self._death()}") from None
        except TimeoutError:
            self.close()
            raise UsageError(
                f"tflite-micro gave no answer on {self.name} within {seconds:.0f} s"
            ) from None
        if answer[:1] != b"K":
            reason = _words(answer[1:])
            raise UsageError(
                f"tflite-micro refuses {self.name}: {reason[:300] or 'no reason given'}"
            )
        return answer[1:]

    def _death(self) -> str:
        """How the child ended, and the end of what it wrote before."""
        code = self._child.wait(timeout=5)
        how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        said = _words(tail(self._log.fileno()))[-_LAST_WORDS:]
        words = f"its last words were {said!r}" if said else "it said nothing"
        return f"{how} while it ran {self.name}: {words}; whether the file is damaged is not known"

    def close(self) -> None:
        """Ends the child."""
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._log.close()

    def __enter__(self) -> Oracle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()


def _words(said: bytes) -> str:
    """One printable line."""
    lines = (line.strip() for line in said.decode("utf-8", "replace").splitlines())
    return "".join(c if c.isprintable() else "?" for c in "; ".join(line for line in lines if line))


def _read_frame(pipe: IO[bytes], deadline: float) -> bytes:
    (size,) = LENGTH.unpack(_read_exactly(pipe.fileno(), LENGTH.size, deadline))
    if not 0 < size <= MAX_FRAME:
        raise EOFError
    return _read_exactly(pipe.fileno(), size, deadline)


def _read_exactly(fd: int, size: int, deadline: float) -> bytes:
    data = bytearray()
    while len(data) < size:
        if not select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise TimeoutError
        part = os.read(fd, size - len(data))
        if not part:
            raise EOFError
        data += part
    return bytes(data)
