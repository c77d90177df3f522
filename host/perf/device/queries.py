"""The board in the loop of an attack: queries a second.

Beside it, what the board answers when nobody thinks in between.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from tinyrobust.attacks.base.problem import Norm, Problem
from tinyrobust.attacks.batches import attack
from tinyrobust.attacks.black_box.square import square_linf
from tinyrobust.attacks.registry import find
from tinyrobust.core.progress import Say
from tinyrobust.host.boards.build import build
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.devices.device import Device
from tinyrobust.host.perf.device.instructions import Loaded, opened
from tinyrobust.host.perf.table import Table
from tinyrobust.host.runs.asking.journal import Journaled
from tinyrobust.models.plan.compiler import compile_plan

BOARD = "qemu_an500"
CASES = ((0, 128), (0, 16), (1, 16))
"""Which model, and how many samples step together: what an attack is given, and what may be left of
it at its end.
"""
LEVELS = 2
SECONDS = 4.0
"""About so long each measurement takes."""
REPEATS = 3
SEED = 0


@dataclass(frozen=True)
class Busy:
    """Answers a second, each the median of ``REPEATS`` measurements that took turns."""

    bare: float
    attacked: float

    @property
    def share(self) -> float:
        """Of the board's time that the attack makes use of."""
        return self.attacked / self.bare


def measure(device: Device, samples: int, folder: Path) -> Busy:
    """Rates of one large batch of random inputs and of Square, in turns.

    Square runs on ``samples`` of them through a journal.
    """
    rng = np.random.default_rng(SEED)
    spec = device.input
    first = rng.integers(-128, 128, (samples, *spec.shape), np.int8)
    started = time.perf_counter()
    labels = device.predict(first).logits.argmax(axis=1)
    steps = max(1, round(SECONDS / (time.perf_counter() - started)))
    bare, attacked = [], []
    for turn in range(REPEATS):
        many = rng.integers(-128, 128, (samples * (steps + 1), *spec.shape), np.int8)
        bare.append(_rate(partial(device.predict, many), len(many)))
        with Journaled(device, folder / f"{samples}-{turn}", "performance") as journaled:
            problem = Problem(
                first, labels, spec, Norm.LINF, LEVELS * spec.scale, LEVELS, SEED + turn, journaled
            )
            square = replace(
                find("square-linf"), function=partial(square_linf, iterations=steps, p=0.1)
            )
            started = time.perf_counter()
            attack(square, problem)
            attacked.append(journaled.answered / (time.perf_counter() - started))
    return Busy(statistics.median(bare), statistics.median(attacked))


def _rate(work: Callable[[], object], n: int) -> float:
    started = time.perf_counter()
    work()
    return n / (time.perf_counter() - started)


def query_table(models: tuple[tuple[str, bytes], ...], say: Say) -> Table:
    """Queries a second of the first of ``models`` (title, .tflite), and of the second if any.

    They run on ``BOARD``, as ``CASES`` says.
    """
    board = get_board(BOARD)
    image = build(board).elf
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for which, samples in CASES[: 2 * len(models)]:
            title, tflite = models[which]
            say(f"{title} on {BOARD}, attacked {samples} samples at a time")
            model = Loaded(compile_plan(tflite))
            with opened(board, image, icount=True) as device:
                device.load(model, model.compiled.input)
                busy = measure(device, samples, Path(folder) / title)
            rows.append(
                (
                    title,
                    str(samples),
                    f"{busy.bare:.1f}",
                    f"{busy.attacked:.1f}",
                    f"{busy.share:.0%}",
                )
            )
    return Table(
        "The board in the loop",
        f"Square (Linf, {LEVELS} levels) asks {BOARD} itself, one query a sample and step, in two "
        "halves that take turns, every answer written to the journal before its half steps on; the "
        "bare rate is one large batch of "
        "random inputs, measured in turns with it.",
        ("model", "samples a step", "bare inf/s", "queries/s", "busy"),
        tuple(rows),
    )
