"""What a sample costs on the wire, in our protocol and in the MLPerf Tiny protocol.

Both have the same line at the same rate.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyrobust.core.progress import Say
from tinyrobust.host.boards.build import build
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.config.parts import MLPERF_TINY, TINYROBUST, Parts
from tinyrobust.host.devices.device import Device
from tinyrobust.host.devices.mlperf.device import MlperfDevice
from tinyrobust.host.devices.target import Target
from tinyrobust.host.perf.device.line import PacedLine
from tinyrobust.host.perf.table import Table
from tinyrobust.models.plan import bundle
from tinyrobust.models.plan.bundle import Bundle
from tinyrobust.models.plan.c_sources import emit_plan

BAUDS = (115200, 921600)
CIFAR_BYTES = 32 * 32 * 3
LINE_SECONDS = 5.0
"""How long the inputs of one measurement would occupy the line by themselves."""
SEED = 0
HEADS = (
    "model",
    "input bytes",
    "baud",
    "protocol",
    "sent",
    "received",
    "ms/sample",
    "of line rate",
)


@dataclass(frozen=True)
class Streamed:
    """One network over one line. Bytes are per sample, as they were on the line."""

    sent: float
    received: float
    seconds: float
    efficiency: float
    """Input bytes per second over the bytes per second that the line carries."""


def stream(device: Target, line: PacedLine, network: Bundle) -> Streamed:
    """Times one batch, after one sample that is not counted."""
    n = max(8, round(LINE_SECONDS * line.rate / network.input.size))
    q = np.random.default_rng(SEED).integers(-128, 128, (n, *network.input.shape), np.int8)
    device.predict(q[:1])
    lanes = (line.to_device, line.from_device)
    before, started = [lane.carried for lane in lanes], time.perf_counter()
    device.predict(q)
    seconds = (time.perf_counter() - started) / n
    sent, received = ((lane.carried - old) / n for lane, old in zip(lanes, before, strict=True))
    return Streamed(sent, received, seconds, network.input.size / seconds / line.rate)


def measure(network: Bundle, protocol: str, baud: int) -> Streamed:
    """Speed of ``network`` on the firmware as a host process, behind a slow line.

    The process computes far faster than the line carries its inputs.
    """
    board = get_board("native")
    if protocol == TINYROBUST:
        with PacedLine([str(build(board).elf)], baud) as line, Device(line.port, "native") as ours:
            ours.load(network, network.input)
            return stream(ours, line, network)
    plan = emit_plan(network, network.folder / "builtin_plan.cc")
    elf = build(board, Parts(protocol, sources=(plan,))).elf
    with PacedLine([str(elf)], baud) as line, MlperfDevice(line.port, "native") as theirs:
        theirs.hello()
        theirs.load(network, network.input, network.output)
        return stream(theirs, line, network)


def streaming_table(models: tuple[tuple[str, bytes], ...], cache: Path, say: Say) -> Table:
    """Both protocols at every rate of ``BAUDS``, on one of ``models``.

    It is the first with inputs of ``CIFAR_BYTES``, else the last one.
    """
    rows = []
    built = [(title, bundle.build(tflite, cache)) for title, tflite in models]
    for title, network in [one for one in built if one[1].input.size == CIFAR_BYTES][:1] or built[
        -1:
    ]:
        for baud in BAUDS:
            for protocol in (TINYROBUST, MLPERF_TINY):
                say(f"{title} over {protocol} at {baud} baud")
                one = measure(network, protocol, baud)
                rows.append(
                    (
                        title,
                        f"{network.input.size:,}",
                        str(baud),
                        protocol,
                        f"{one.sent:,.0f}",
                        f"{one.received:,.0f}",
                        f"{1e3 * one.seconds:,.1f}",
                        f"{one.efficiency:.1%}",
                    )
                )
    return Table(
        "Streaming",
        "Samples to the firmware as a host process, over a line in memory that carries ten bits a "
        "byte at the stated rate, both ways at once: as many as would fill it for "
        f"{LINE_SECONDS:.0f} s. Bytes are per sample; the last column is input bytes a second "
        "over the line's. Each MLPerf Tiny command waits for its answer: an attached board "
        "also pays the turn-around of USB, about a millisecond, which this line does not have.",
        HEADS,
        tuple(rows),
    )
