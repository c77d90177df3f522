"""How ``run`` tells what the network cost on the board."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from host.boards import Board
from host.cost import latency, memory
from host.device import Device
from host.flash import static_sizes
from host.wire import TickUnit

TIMED = 50


def say_costs(device: Device, board: Board, say: Callable[[str], None]) -> None:
    """Latency or instructions on seeded noise, RAM with the stack's high-water mark, flash."""
    if device.info.tick_unit != TickUnit.NONE:
        noise = np.random.default_rng(0).integers(-128, 128, (TIMED, *device.input.shape), np.int8)
        say(latency(device.time(noise), device.info, board.emulated))
    info = device.hello()
    say(memory(info, board, static_sizes(board, info.build_id)))
