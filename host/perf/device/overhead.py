"""What the CMSIS-NN engine adds to the kernels it calls.

Its own instructions are counted one by one by QEMU.
"""

from __future__ import annotations

import re
import subprocess
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tinyrobust.core.errors import LinkError
from tinyrobust.core.progress import Say
from tinyrobust.core.types import Int8Array
from tinyrobust.host.boards.build import build
from tinyrobust.host.boards.table import Board, get_board
from tinyrobust.host.perf.device.instructions import INSTRUCTIONS_PER_TICK, Loaded, opened
from tinyrobust.host.perf.table import Table
from tinyrobust.host.setup.tools import STM32
from tinyrobust.models.plan.compiler import compile_plan

BOARD = "qemu_an500"
ENGINE = r"\b(?:engine|operators|plan)::"
"""Symbols of the engine itself: neither CMSIS-NN's kernels nor ours (kernels.h)."""
OPERATOR = "operators::find("
"""Called once for each operator, before it runs."""
PROGRAM_COUNTER = re.compile(rb"^Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/", re.M)


@dataclass(frozen=True)
class Layer:
    """Instructions of one operator, and those of them that the engine spends around the kernel."""

    name: str
    instructions: int
    engine: int


@dataclass(frozen=True)
class Overhead:
    """What one inference took, in its operators and around them."""

    instructions: int
    around: int
    """At most so many are in no operator: above all the copy of the input into the arena."""
    layers: tuple[Layer, ...]

    @property
    def engine(self) -> int:
        """At most so many are the engine's own."""
        return self.around + sum(layer.engine for layer in self.layers)


def overhead(board: Board, image: Path, tflite: bytes) -> Overhead:
    """Counts one inference on seeded noise.

    Raises UsageError where QEMU is too old to log single instructions.
    """
    model = Loaded(compile_plan(tflite))
    sample = np.random.default_rng(0).integers(-128, 128, (1, *model.compiled.input.shape), np.int8)
    with opened(board, image, True) as device:
        device.load(model)
        total = round(int(device.time(sample)[0]) * INSTRUCTIONS_PER_TICK)
        (profile,) = device.profile(sample)
    counts = [round(op.ticks * INSTRUCTIONS_PER_TICK) for op in profile]
    own = _own(board, image, model, sample)
    if len(own) != len(counts):
        raise LinkError(f"{board.name}: {len(counts)} operators were timed and {len(own)} traced")
    layers = zip(profile, counts, own, strict=True)
    return Overhead(
        total, max(0, total - sum(counts)), tuple(Layer(op.name, n, k) for op, n, k in layers)
    )


def _own(board: Board, image: Path, model: Loaded, sample: Int8Array) -> list[int]:
    """The engine's instructions for each operator, the loop around them included."""
    symbols = _symbols(image)
    ranges = ",".join(f"{start:#x}+{size:#x}" for start, size, _ in symbols)
    with TemporaryDirectory(prefix="tinyrobust-") as room:
        log = Path(room) / "log"
        options = (
            "-accel",
            "tcg,one-insn-per-tb=on",
            "-d",
            "exec,nochain",
            "-dfilter",
            ranges,
            "-D",
            str(log),
        )
        with opened(replace(board, needs=STM32), image, False, options) as device:
            device.load(model)
            begun = log.stat().st_size
            device.time(sample)
        return by_operator(log.read_bytes()[begun:], symbols)


def by_operator(trace: bytes, symbols: Sequence[tuple[int, int, str]]) -> list[int]:
    """Lines of QEMU's ``exec`` log, one for each instruction, by operator.

    An operator lasts from one call of ``OPERATOR`` to the next.
    """
    starts = [start for start, _, _ in symbols]
    entry = next(start for start, _, name in symbols if name.startswith(OPERATOR))
    counts: list[int] = []
    for found in PROGRAM_COUNTER.finditer(trace):
        at = int(found[1], 16)
        start, size, _ = symbols[max(0, bisect_right(starts, at) - 1)]
        if at == entry:
            counts.append(0)
        if counts and start <= at < start + size:
            counts[-1] += 1
    return counts


def _symbols(image: Path) -> list[tuple[int, int, str]]:
    """(address, size, name) of the engine's functions, by address."""
    listed = subprocess.run(
        ["arm-none-eabi-nm", "-S", "-C", str(image)], capture_output=True, text=True, check=True
    )
    lines = re.findall(r"^([0-9a-f]{8}) ([0-9a-f]{8}) [tTW] (.*)$", listed.stdout, re.M)
    return sorted(
        (int(start, 16), int(size, 16), name)
        for start, size, name in lines
        if re.search(ENGINE, name)
    )


def _share(layer: Layer) -> str:
    return (
        f"{layer.engine / layer.instructions:.2%}" if layer.engine < layer.instructions else "all"
    )


def overhead_tables(models: tuple[tuple[str, bytes], ...], say: Say) -> list[Table]:
    """Every model as a whole, and the second, or the only one, layer by layer."""
    board = get_board(BOARD)
    image = build(board).elf
    rows, found = [], []
    for title, tflite in models:
        say(f"the engine around {title}")
        one = overhead(board, image, tflite)
        found.append((title, one))
        worst = max(one.layers, key=lambda layer: layer.engine)
        share = f"{one.engine / one.instructions:.3%}"
        most = f"{worst.engine} in {worst.name}"
        rows.append(
            (title, f"{len(one.layers)}", f"{one.instructions:,}", f"{one.engine:,}", share, most)
        )
    title, one = found[min(1, len(found) - 1)]
    layers = tuple(
        (str(i), layer.name, f"{layer.instructions:,}", f"{layer.engine}", _share(layer))
        for i, layer in enumerate(one.layers)
    )
    return [
        Table(
            "The engine's own overhead",
            f"On {BOARD}: instructions of one inference, and at most so many of them spent "
            "outside kernels: every instruction of the engine's own functions, counted one by one "
            "in QEMU's log, and all that is in no operator, above all the copy of the input.",
            (
                "model",
                "operators",
                "instructions",
                "outside kernels",
                "share",
                "most in an operator",
            ),
            tuple(rows),
        ),
        Table(
            f"The engine's own overhead, {title} layer by layer",
            "What is outside the kernel includes the loop over the operators, which is no part of "
            "an operator's own instructions. RESHAPE has no kernel: "
            "where its tensors share memory it does nothing.",
            ("operator", "name", "instructions", "outside the kernel", "share"),
            layers,
        ),
    ]
