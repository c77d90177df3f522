"""What a network costs on the board it ran on: time or instructions, RAM, flash, in lines for a person."""

from __future__ import annotations

import numpy as np

from host.boards import Board
from host.types import Int64Array
from host.wire import Info, TickUnit

ICOUNT_SECONDS = 64e-9
"""Emulated time of one instruction under QEMU's ``-icount shift=6`` (host/emulator.py)."""
CMSDK_HZ = 25_000_000


def instructions_per_tick(info: Info) -> float:
    """Of an emulated board. Renode's cycle counter counts instructions (renode/nucleo_f746.repl)."""
    if info.tick_unit == TickUnit.CPU_CYCLES:
        return 1.0
    hz = CMSDK_HZ if info.tick_unit == TickUnit.CMSDK_TIMER else info.clock_hz
    return 1 / (hz * ICOUNT_SECONDS)


def latency(ticks: Int64Array, info: Info, emulated: bool) -> str:
    """Median and tails of ``ticks`` (int64 [n], one per inference): cycles and milliseconds, or instructions."""
    low, mid, high = (float(value) for value in np.percentile(ticks, [5, 50, 95]))
    n = f"{len(ticks)} inferences one at a time, not timed layer by layer"
    if emulated:
        per = instructions_per_tick(info)
        return f"instructions: median {mid * per:,.0f}, p5 {low * per:,.0f}, p95 {high * per:,.0f} ({n})"
    cycles = f"latency: median {mid:,.0f} cycles, p5 {low:,.0f}, p95 {high:,.0f}"
    low, mid, high = (1000 * value / info.clock_hz for value in (low, mid, high))
    return f"{cycles}; at {info.clock_hz / 1e6:g} MHz median {mid:.3f} ms, p5 {low:.3f}, p95 {high:.3f} ({n})"


def memory(info: Info, board: Board, static: tuple[int, int] | None) -> str:
    """RAM by what takes it, and flash. ``static``: flash and static RAM of the image in bytes, where it is known."""
    plan = info.plan_bytes if info.plan_in_ram else 0
    parts = {"plan": plan, "arena": info.arena_bytes, "scratch": info.scratch_bytes, "receive buffer": info.max_frame}
    text = f"RAM: {', '.join(f'{name} {size:,}' for name, size in parts.items() if size)}"
    text += f", stack {info.stack_used:,} used of {info.stack_bytes:,}"
    if static is None:
        return f"{text} bytes"
    flash, ram = static
    total = sum(parts.values()) + ram
    return f"{text}, with static data {total:,} of {board.ram_bytes:,}; flash: {flash:,} of {board.flash_bytes:,} bytes"
