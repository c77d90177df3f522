"""What the reference models cost on the emulated boards.

Measured are instructions, inferences per second, and bytes on the wire.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyrobust.core.progress import Say
from tinyrobust.core.types import TensorSpec
from tinyrobust.host.boards.build import build
from tinyrobust.host.boards.emulator import Emulator
from tinyrobust.host.boards.table import Board, get_board
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.pipes import FifoPort
from tinyrobust.host.perf.table import Table
from tinyrobust.models.plan.compiler import Plan, compile_plan

BOARDS = ("qemu_an500", "qemu_an386")
SEED = 0
INSTRUCTIONS_PER_TICK = 1 / 1.6
"""CMSDK timer at 25 MHz, one instruction every 64 ns under ``-icount shift=6``
(host/boards/emulator.py).
"""
MEASURE_SECONDS = 2.0
REPEATS = 5
HEADS = (
    "model",
    "board",
    "instructions",
    "spread",
    "inf/s icount",
    "inf/s free",
    "free/icount",
    "wire bytes",
    "wire/payload",
)


@dataclass(frozen=True)
class Loaded:
    """A compiled model as ``Device.load`` wants it."""

    compiled: Plan

    @property
    def plan(self) -> bytes:
        """The plan's bytes."""
        return self.compiled.data

    @property
    def plan_id(self) -> str:
        """The plan's SHA-256, in hex."""
        return self.compiled.plan_id


@dataclass(frozen=True)
class Speed:
    """One model on one board under one clock."""

    instructions: int
    """Per inference: the median of ``REPEATS``; 0 without ``-icount``."""
    spread: int
    """Largest minus smallest of them: 0 where counts repeat."""
    per_second: float
    wire_bytes: float
    """Both ways, per sample."""


@contextmanager
def opened(
    board: Board, image: Path, icount: bool, options: Sequence[str] = ()
) -> Iterator[Device]:
    """A freshly started emulator as a Device. ``options`` are further ones of QEMU."""
    with Emulator(board, image, icount=icount, options=options) as emulator:
        port = FifoPort(board.name, emulator.to_board, emulator.from_board, emulator.gone)
        with Device(port, "board", board.emulated) as device:
            yield device


def measure(board: Board, image: Path, model: Loaded, icount: bool) -> Speed:
    """Runs ``model`` on seeded random inputs.

    First ``REPEATS`` counted ones, then as many as ``MEASURE_SECONDS`` take.
    """
    with opened(board, image, icount) as device:
        device.load(model)
        sample = _inputs(model.compiled.input, 1)
        ticks = device.predict(np.repeat(sample, REPEATS, axis=0)).ticks
        counts = (
            []
            if ticks is None or not icount
            else [round(int(t) * INSTRUCTIONS_PER_TICK) for t in ticks]
        )
        before, n, started = _bytes(device), 0, time.perf_counter()
        batch = _inputs(model.compiled.input, 8)
        while (elapsed := time.perf_counter() - started) < MEASURE_SECONDS:
            device.predict(batch)
            n += len(batch)
        moved = _bytes(device) - before
    return Speed(
        instructions=int(statistics.median(counts)) if counts else 0,
        spread=max(counts) - min(counts) if counts else 0,
        per_second=n / elapsed,
        wire_bytes=moved / n,
    )


def _bytes(device: Device) -> int:
    return device.counters.bytes_sent + device.counters.bytes_received


def _tensor_bytes(spec: TensorSpec) -> int:
    return spec.size * np.dtype(spec.dtype).itemsize


def _inputs(spec: TensorSpec, n: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    return np.random.default_rng(SEED).integers(-128, 128, (n, *spec.shape), np.int8)


def instruction_table(models: tuple[tuple[str, bytes], ...], say: Say) -> Table:
    """Every model on every board of ``BOARDS``, with and without ``-icount`` side by side."""
    rows = []
    for name in BOARDS:
        board = get_board(name)
        image = build(board).elf
        for title, tflite in models:
            say(f"{title} on {name}")
            model = Loaded(compile_plan(tflite))
            counted, free = (measure(board, image, model, icount) for icount in (True, False))
            payload = sum(
                _tensor_bytes(spec) for spec in (model.compiled.input, model.compiled.output)
            )
            rows.append(
                (
                    title,
                    name,
                    f"{counted.instructions:,}",
                    f"{counted.spread:,}",
                    f"{counted.per_second:.1f}",
                    f"{free.per_second:.1f}",
                    f"{free.per_second / counted.per_second:.2f}",
                    f"{counted.wire_bytes:,.0f}",
                    f"{counted.wire_bytes / payload:.3f}",
                )
            )
    return Table(
        "On the emulated boards",
        f"Instructions are QEMU's under `-icount shift=6`, the median of {REPEATS} inferences; "
        "the spread is the largest minus the smallest. Inferences a second are the host's wall "
        "clock, link included. Wire bytes are both ways, with framing, "
        "against the bytes of input and output tensor.",
        HEADS,
        tuple(rows),
    )
