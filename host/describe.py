"""The manifest of a run that is about to begin: what is benched, on what, with which versions."""

from __future__ import annotations

import platform
import subprocess
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from host.config import Config
from host.device import Device
from host.records import Manifest, RungInfo
from host.types import Dataset
from host.wire import Info, TickUnit

if TYPE_CHECKING:
    from models.ladder import Ladder

PACKAGES = (
    "tinyrobust",
    "tensorflow",
    "tf_keras",
    "qkeras",
    "foolbox",
    "tflite-micro",
    "numpy",
    "scikit-learn",
    "pyarrow",
)


def versions() -> tuple[tuple[str, str], ...]:
    """(package, version) of all that the figures depend on, and Python; absent ones left out."""
    out = [("python", platform.python_version())]
    for name in PACKAGES:
        try:
            out.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return tuple(out)


def git_id() -> str:
    """``git describe`` of this checkout, with ``-dirty``; empty outside one."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def facts(info: Info) -> tuple[tuple[str, str], ...]:
    """What the board said of itself, readable."""
    return (
        ("board", info.board),
        ("firmware", info.firmware),
        ("engine", info.engine),
        ("cpuid", f"{info.cpuid:08x}"),
        ("uid", info.uid.hex()),
        ("clock_hz", str(info.clock_hz)),
        ("tick_unit", TickUnit(info.tick_unit).name.lower()),
        ("protocol", f"{info.protocol:08x}"),
        ("plan_id", info.plan_id.hex()),
        ("plan_bytes", str(info.plan_bytes)),
        ("plan_in_ram", str(info.plan_in_ram)),
        ("arena_bytes", str(info.arena_bytes)),
        ("scratch_bytes", str(info.scratch_bytes)),
        ("pool_bytes", str(info.pool_bytes)),
        ("pool_free", str(info.pool_free)),
        ("window", str(info.window)),
    )


def describe(config: Config, ladder: Ladder, data: Dataset, device: Device, run_id: str, command: str) -> Manifest:
    """The manifest, in state ``running``."""
    info, bundle = device.info, ladder.bundle
    rungs = [RungInfo(rung.rung, True) for rung in ladder.rungs]
    rungs += [RungInfo(rung, False, reason) for rung, reason in ladder.unavailable]
    rungs += [RungInfo(device.rung, True, detail=f"{info.board}: {info.engine}, firmware {info.firmware}")]
    return Manifest(
        run_id=run_id,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        state="running",
        model=ladder.name,
        data=data.name,
        data_sha256=data.sha256,
        samples=len(data.q),
        board=config.board,
        emulated=device.emulated,
        tick_unit=TickUnit(info.tick_unit).name.lower(),
        seeds=config.seeds,
        attacks=config.attacks,
        eps=config.eps,
        input_shape=bundle.input.shape,
        input_scale=bundle.input.scale,
        input_zero_point=bundle.input.zero_point,
        class_names=ladder.class_names,
        tflite_sha256=bundle.sha256,
        plan_id=bundle.plan_id,
        tflite_bytes=len(bundle.tflite),
        plan_bytes=len(bundle.plan),
        arena_bytes=bundle.arena_bytes,
        tflm_arena_bytes=bundle.tflm_arena_bytes,
        git=git_id(),
        versions=versions(),
        board_info=(*facts(info), *((("image_sha256", device.image),) if device.image else ())),
        rungs=tuple(rungs),
        notes=ladder.notes,
        command=command,
    )
