"""Where the host's time goes in ``make bench``, stage by stage, from an empty cache."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tinyrobust.attacks.make import AttackRequest, make
from tinyrobust.core.cells import Cell
from tinyrobust.core.progress import Say
from tinyrobust.core.types import Differentiable
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.config.bench import Config
from tinyrobust.host.devices.attach import attach
from tinyrobust.host.perf.table import Table
from tinyrobust.host.report.page import write_report
from tinyrobust.host.runs.execute import execute
from tinyrobust.models.zoo.catalog import open_model

EPS = 16 / 255
SAMPLES = 128


@dataclass
class Stopwatch:
    """Stages with their seconds and the units of work each did."""

    rows: list[tuple[str, float, int]] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str, units: int = 1) -> Iterator[None]:
        """Times the block as ``name``, which did ``units`` of work."""
        started = time.perf_counter()
        yield
        self.rows.append((name, time.perf_counter() - started, units))


def stage_table(say: Say) -> Table:
    """Times every stage once, on ``SAMPLES`` samples where a stage is per sample."""
    watch = Stopwatch()
    board = get_board("qemu_an500")
    with tempfile.TemporaryDirectory(prefix="tinyrobust-perf-") as room:
        cache = Path(room) / "cache"
        with watch.stage("train float and QKeras, export, check parity"):
            ladder = open_model("digits", cache, say)
        with watch.stage("the same, cached"):
            ladder = open_model("digits", cache, say)
        q, labels = ladder.test.q[:SAMPLES], ladder.test.labels[:SAMPLES]
        sources = [rung for rung in ladder.rungs if isinstance(rung, Differentiable)]
        for source in sources:
            for attack in ("fgsm", "pgd"):
                cell = Cell(attack, source.rung, EPS)
                with watch.stage(f"{attack} on {source.rung}", SAMPLES):
                    make(AttackRequest(cell, source, q, labels, ladder.bundle.input))
        for rung in ladder.rungs:
            rung.predict(q)
            with watch.stage(f"predict on {rung.rung}", SAMPLES):
                rung.predict(q)
        with watch.stage("build the firmware (nothing changed), start QEMU, HELLO"):
            device = attach(board, say)
        with device:
            with watch.stage("upload the plan"):
                device.load(ladder.bundle, ladder.bundle.input)
            with watch.stage(f"predict on {board.name}", SAMPLES):
                device.predict(q)
            config = Config(samples=SAMPLES, eps=(EPS,), out=Path(room) / "runs")
            with watch.stage("one whole run: 6 cells, every rung, recorded", SAMPLES):
                outcome = execute(config, ladder, device, cache, say, lambda *_: None)
        with watch.stage("report"):
            write_report(outcome.path)
    rows = tuple(
        (name, f"{seconds:.2f}", f"{1e3 * seconds / n:,.2f}") for name, seconds, n in watch.rows
    )
    return Table(
        "Host time per stage",
        f"The default bench on {SAMPLES} samples, eps 16/255, each stage once: seconds, and "
        "milliseconds per sample (per stage where it has no samples). TensorFlow's first call "
        "includes its graph tracing.",
        ("stage", "s", "ms each"),
        rows,
    )
