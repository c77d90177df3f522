"""Firmwares that speak the MLPerf Tiny protocol, built around small networks, and raw conversations
with them.
"""

from __future__ import annotations

import os
import select
import shutil
import time
from pathlib import Path

import numpy as np

from tests.support.boards.native import building
from tests.support.link.child import SILENCE, Child
from tests.support.paths import ROOT
from tests.support.tflite.factory import Affine, Factory
from tinyrobust.models.plan.compiler import compile_plan


def plan_source(tflite: bytes, folder: Path) -> Path:
    """The plan of ``tflite`` as a C++ file that defines the built-in plan."""
    plan = compile_plan(tflite).data
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "builtin_plan.cc"
    source.write_text(
        '#include "engine/builtin/builtin_plan.h"\n'
        f"alignas(16) extern const uint8_t g_builtin_plan[] = {{{','.join(map(str, plan))}}};\n"
        f"extern const uint32_t g_builtin_plan_size = {len(plan)};\n"
    )
    return source


def firmware(goal: str, source: Path | None, folder: Path) -> Path:
    """The firmware as a host process, ``goal`` native or asan, with the plan of ``source`` linked
    in.
    """
    out = ROOT / "build" / "mlperf-tiny"
    folder.mkdir(parents=True, exist_ok=True)
    with building(
        goal, "PROTOCOL=mlperf-tiny", "OUT=../build/mlperf-tiny", f"BUILTIN={source or ''}"
    ):
        return Path(shutil.copy2(out / goal / "tinyrobust_fw", folder / f"{goal}_fw"))


def dense_tflite(inputs: int, outputs: int, x: Affine, y: Affine) -> bytes:
    """One fully connected layer of seeded weights: int8 [1, inputs] -> int8 [1, outputs]."""
    rng = np.random.default_rng(inputs)
    f = Factory()
    tensor = f.input((1, inputs), x)
    weights = rng.integers(-127, 128, (outputs, inputs), np.int8)
    return f.build(tensor, f.fully_connected(tensor, weights, [0.01 / x.scale * y.scale], None, y))


class Talk(Child):
    """A firmware process and lines of text.

    On leaving, it must end by itself, with nothing on stderr.
    """

    def __init__(self, binary: Path) -> None:
        super().__init__(binary)
        self._inbox = b""
        self.opening = self.answer()

    def answer(self) -> list[str]:
        """Lines up to ``m-ready``, which is left out."""
        end, lines = time.monotonic() + SILENCE, []
        while True:
            *whole, self._inbox = self._inbox.split(b"\r\n")
            for at, line in enumerate(whole):
                if line == b"m-ready":
                    self._inbox = b"\r\n".join([*whole[at + 1 :], self._inbox])
                    return lines
                lines.append(line.decode("ascii"))
            ready, _, _ = select.select(
                [self.process.stdout], [], [], max(end - time.monotonic(), 0)
            )
            assert ready, "the firmware hangs"
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            assert data, f"the firmware ended: {self.complaint()[:2000]}"
            self._inbox += data

    def ask(self, command: str) -> list[str]:
        self.send(f"{command}%".encode("latin-1"))
        return self.answer()

    def load(self, data: bytes) -> None:
        """All of an input, 31 bytes a command."""
        assert self.ask(f"db load {len(data)}") == [f"m-[Expecting {len(data)} bytes]"]
        for at in range(0, len(data), 31):
            done = ["m-load-done"] if at + 31 >= len(data) else []
            assert self.ask(f"db {data[at : at + 31].hex()}") == done
