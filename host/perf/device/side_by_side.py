"""Several boards at once: inferences a second of 1, 2 and 4 processes on one network."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np

from tinyrobust.core.errors import LinkError
from tinyrobust.core.progress import Say
from tinyrobust.host.boards.build import build
from tinyrobust.host.boards.table import PortKind, get_board
from tinyrobust.host.devices.device import Device
from tinyrobust.host.link.pipes import ChildPort
from tinyrobust.host.perf.device.instructions import Loaded, opened
from tinyrobust.host.perf.table import Table
from tinyrobust.models.plan.compiler import compile_plan

BOARDS = ("native", "qemu_an500")
PROCESSES = (1, 2, 4)
SECONDS = 3.0
READY_SECONDS = 120.0
BATCH = 8


def side_by_side_table(models: tuple[tuple[str, bytes], ...], say: Say) -> Table:
    """The second of ``models``, or the only one, on each of ``BOARDS``."""
    title, tflite = models[min(1, len(models) - 1)]
    cores = os.cpu_count() or 1
    rows = []
    for name in BOARDS:
        image = build(get_board(name)).elf
        alone = 0.0
        for n in PROCESSES:
            say(f"{n} of {name} side by side")
            rate = _together(n, name, image, tflite)
            alone = alone or rate
            ideal = alone * min(n, cores)
            rows.append((name, str(n), f"{rate:.1f}", f"{rate / alone:.2f}", f"{rate / ideal:.0%}"))
    return Table(
        "Boards side by side",
        f"{title}, each process with a board of its own, as `make bench` runs sweeps; {cores} "
        "cores. The last column is against as many cores as there are processes, or all of them.",
        ("board", "processes", "inf/s together", "times one", "of the cores"),
        tuple(rows),
    )


def _together(n: int, name: str, image: Path, tflite: bytes) -> float:
    """Inferences a second of ``n`` processes together, once all of them are ready."""
    context = multiprocessing.get_context("spawn")
    ready, rates = context.Barrier(n), context.SimpleQueue()
    processes = [
        context.Process(target=_bench, args=(name, image, tflite, ready, rates.put))
        for _ in range(n)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise LinkError(f"{name}: one of {n} processes failed")
    return sum(float(rates.get()) for _ in processes)


def _bench(
    name: str, image: Path, tflite: bytes, ready: Barrier, done: Callable[[float], None]
) -> None:
    board = get_board(name)
    with ExitStack() as stack:
        if board.port is PortKind.CHILD:
            device = stack.enter_context(Device(ChildPort([str(image)]), name))
        else:
            device = stack.enter_context(opened(board, image, True))
        model = Loaded(compile_plan(tflite))
        device.load(model)
        batch = np.random.default_rng(0).integers(
            -128, 128, (BATCH, *model.compiled.input.shape), np.int8
        )
        device.predict(batch)
        ready.wait(READY_SECONDS)
        n, started = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - started) < SECONDS:
            device.predict(batch)
            n += BATCH
        done(n / elapsed)
