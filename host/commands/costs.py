"""How ``run`` measures and tells what the network cost on the board."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyrobust.core.abi.wire import MAX_PROFILED, Info, TickUnit
from tinyrobust.core.progress import Say
from tinyrobust.core.types import Int64Array, IntArray
from tinyrobust.host.boards.build import static_sizes
from tinyrobust.host.boards.table import Board, PortKind
from tinyrobust.host.devices.device import Device
from tinyrobust.host.records.layers import LAYERS, Layers, read_layers, record
from tinyrobust.host.records.schema import Manifest
from tinyrobust.host.records.ticks import of_info

TIMED = 50
PROFILED = 10


def say_costs(device: Device, board: Board, run: Path, manifest: Manifest, say: Say) -> None:
    """Says what an inference costs: time or instructions, layer by layer too, RAM and flash.

    It is measured on seeded noise; RAM comes with the stack's high-water mark.

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


def _layers(device: Device, run: Path, manifest: Manifest, say: Say) -> None:
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


def _noise(device: Device, n: int) -> IntArray:
    grid = device.input
    rng = np.random.default_rng(0)
    return rng.integers(grid.bottom, grid.top + 1, (n, *grid.shape), np.dtype(grid.dtype))


def latency(ticks: Int64Array, info: Info, emulated: bool) -> str:
    """Median and tails of ``ticks``, int64 [n], one per inference.

    They are cycles and milliseconds, or instructions.
    """
    counter = of_info(info, emulated)
    low, mid, high = (
        float(value) * counter.per_tick for value in np.percentile(ticks, [5, 50, 95])
    )
    text = f"{counter.unit}: median {mid:,.0f}, p5 {low:,.0f}, p95 {high:,.0f}"
    if counter.hz:
        low, mid, high = (1000 * value / counter.hz for value in (low, mid, high))
        text += f"; at {counter.hz / 1e6:g} MHz median {mid:.3f} ms, p5 {low:.3f}, p95 {high:.3f}"
    return f"{text} ({len(ticks)} inferences one at a time)"


def layer_lines(layers: Layers) -> list[str]:
    """A table of the operators: name, share, median and tails.

    Milliseconds stand beside them where counts are time.
    """
    unit, hz = layers.counter.unit, layers.counter.hz
    head = f"{'op':>4} {'name':<18} {'share':>6} {unit:>14} {'p5':>12} {'p95':>12}" + (
        f" {'ms':>9}" if hz else ""
    )
    out = [f"layer by layer, median of {layers.inferences} inferences:", head]
    for row in layers.rows:
        line = (
            f"{row.op:>4} {row.name:<18} {row.share:>6.1%} {row.median:>14,.0f} {row.p5:>12,.0f} "
            f"{row.p95:>12,.0f}"
        )
        out.append(line + (f" {1000 * row.median / hz:>9.3f}" if hz else ""))
    return out


def memory(info: Info, board: Board, static: tuple[int, int] | None) -> str:
    """RAM by what takes it, and flash.

    ``static``: flash and static RAM of the image in bytes, where it is known.
    """
    plan = info.plan_bytes if info.plan_in_ram else 0
    parts = {
        "plan": plan,
        "arena": info.arena_bytes,
        "scratch": info.scratch_bytes,
        "receive buffer": info.max_frame,
    }
    text = f"RAM: {', '.join(f'{name} {size:,}' for name, size in parts.items() if size)}"
    text += f", stack {info.stack_used:,} used of {info.stack_bytes:,}"
    if static is None:
        return f"{text} bytes"
    flash, ram = static
    total = sum(parts.values()) + ram
    return (
        f"{text}, with static data {total:,} of {board.ram_bytes:,}; flash: {flash:,} of "
        f"{board.flash_bytes:,} bytes"
    )
