"""How ``run`` tells what the network cost on the board."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from host.boards import Board
from host.cost import latency, memory
from host.device import Device
from host.flash import static_sizes
from host.report import read_run


def say_costs(device: Device, board: Board, run: Path, say: Callable[[str], None]) -> None:
    """Latency or instructions of every recorded inference, RAM with the stack's high-water mark, flash."""
    _, table = read_run(run)
    ticks = table.filter(pc.equal(table["rung"], device.rung))["ticks"].drop_null().to_numpy().astype(np.int64)
    info = device.hello()
    if len(ticks):
        say(latency(ticks, info, board.emulated))
    say(memory(info, board, static_sizes(board, info.build_id)))
