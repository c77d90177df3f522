"""The manifest of a run that is about to begin: what is benched, on what, with which versions."""

from __future__ import annotations

import platform
import subprocess
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from tinyrobust.attacks.base.problem import AttackInfo
from tinyrobust.attacks.registry import find
from tinyrobust.core.types import Dataset
from tinyrobust.host.config.bench import Config
from tinyrobust.host.devices.target import Target
from tinyrobust.host.records.schema import AttackKind, Manifest, RungInfo

if TYPE_CHECKING:
    from tinyrobust.models.rungs.ladder import Ladder

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
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def kind(info: AttackInfo) -> AttackKind:
    """A row of the registry, as the manifest keeps it."""
    return AttackKind(
        info.name, info.title, info.needs.name.lower(), info.norm.value, info.minimises, info.paper
    )


def describe(
    config: Config, ladder: Ladder, data: Dataset, device: Target, run_id: str, command: str
) -> Manifest:
    """The manifest, in state ``running``."""
    identity, bundle = device.identity, ladder.bundle
    rungs = [RungInfo(rung.rung, True) for rung in ladder.rungs]
    rungs += [RungInfo(rung, False, reason) for rung, reason in ladder.unavailable]
    rungs += [RungInfo(device.rung, True, detail=identity.detail)]
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
        tick_unit=identity.tick_unit,
        seeds=config.seeds,
        attacks=config.attacks,
        eps=config.eps,
        input_shape=bundle.input.shape,
        input_scale=bundle.input.scale,
        input_zero_point=bundle.input.zero_point,
        input_dtype=bundle.input.dtype,
        input_lowest=bundle.input.bottom,
        input_highest=bundle.input.top,
        class_names=ladder.class_names,
        tflite_sha256=bundle.sha256,
        plan_id=bundle.plan_id,
        tflite_bytes=len(bundle.tflite),
        plan_bytes=len(bundle.plan),
        arena_bytes=bundle.arena_bytes,
        tflm_arena_bytes=bundle.tflm_arena_bytes,
        git=git_id(),
        versions=versions(),
        board_info=(
            *identity.facts,
            *((("image_sha256", identity.image),) if identity.image else ()),
        ),
        rungs=tuple(rungs),
        notes=(*ladder.notes, *identity.notes),
        command=command,
        protocol=identity.protocol,
        lattice=config.lattice,
        queries=config.queries,
        search=config.search,
        target=config.target,
        kinds=tuple(kind(find(name)) for name in config.attacks),
    )
