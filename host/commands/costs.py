"""How ``run`` measures and tells what the network cost on the board."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from host.boards import Board, PortKind
from host.cost import latency, layer_lines, memory
from host.device import Device
from host.flash import static_sizes
from host.layers import LAYERS, read_layers, record
from host.records import Manifest
from host.types import Int8Array
from host.wire import MAX_PROFILED, TickUnit

TIMED = 50
PROFILED = 10


def say_costs(device: Device, board: Board, run: Path, manifest: Manifest, say: Callable[[str], None]) -> None:
    """Latency or instructions on seeded noise, whole and layer by layer, RAM with the stack's high-water mark, flash.

    The layers are recorded in the folder of the run, once.
    """
    if device.info.tick_unit != TickUnit.NONE:
        if board.port is not PortKind.CHILD:
            say(latency(device.time(_noise(device, TIMED)), device.info, board.emulated))
        _layers(device, run, manifest, say)
    if board.port is PortKind.CHILD:
        return
    info = device.hello()
    say(memory(info, board, static_sizes(board, info.build_id)))


def _layers(device: Device, run: Path, manifest: Manifest, say: Callable[[str], None]) -> None:
    if device.info.n_ops > MAX_PROFILED:
        say(f"not timed layer by layer: {device.info.n_ops} operators, {MAX_PROFILED} at most")
        return
    if not (run / LAYERS).exists():
        profiles = device.profile(_noise(device, PROFILED))
        if not profiles[0]:
            say("not timed layer by layer: its library tells nothing of its operators")
            return
        record(run, profiles)
    if layers := read_layers(run, manifest):
        for line in layer_lines(layers):
            say(line)


def _noise(device: Device, n: int) -> Int8Array:
    return np.random.default_rng(0).integers(-128, 128, (n, *device.input.shape), np.int8)
