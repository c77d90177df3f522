"""An exported model on disk, addressed by content.

It is the .tflite, its plan, and what both say about themselves.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from tinyrobust.core.abi.plan import LAYOUT
from tinyrobust.core.files import CACHE_REMEDY, write_whole
from tinyrobust.core.grid import input_grid, table
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.plan.compiler import Plan, compile_plan


@dataclass(frozen=True)
class Bundle:
    """Everything a run needs of a model.

    ``tflm_arena_bytes`` is None where tflite-micro is not to be had.
    """

    folder: Path
    tflite: bytes
    plan: bytes
    input: TensorSpec
    """The ladder's input grid."""
    grid: TensorSpec
    """The model's own input: the input grid, or int16."""
    output: TensorSpec
    ops: tuple[str, ...]
    arena_bytes: int
    tflm_arena_bytes: int | None
    sha256: str
    """Of the .tflite file."""
    plan_id: str


def build(
    tflite: bytes,
    cache: Path,
    tflm_arena_bytes: int | None = None,
    spec: TensorSpec | None = None,
) -> Bundle:
    """Compiles ``tflite`` and keeps it in ``cache/bundles/<sha256>``.

    Raises UsageError as ``compile_plan`` does, and where the folder cannot be written.

    ``spec`` is the ladder's, where the model's input is int16 (default:
    ``tinyrobust.core.grid.input_grid`` its input). The plan is compiled every time (milliseconds):
    a folder is what others read, never what this trusts.
    """
    plan = compile_plan(tflite)
    spec = spec or input_grid(plan.input)
    table(spec, plan.input)
    sha256 = hashlib.sha256(tflite).hexdigest()
    folder = cache / "bundles" / f"{sha256[:16]}-{LAYOUT:08x}"
    bundle = Bundle(
        folder,
        tflite,
        plan.data,
        spec,
        plan.input,
        plan.output,
        plan.ops,
        plan.arena_bytes,
        tflm_arena_bytes,
        sha256,
        plan.plan_id,
    )
    for name, data in (
        ("model.tflite", tflite),
        ("plan.bin", plan.data),
        ("bundle.json", _describe(bundle, plan).encode()),
    ):
        write_whole(folder / name, data, CACHE_REMEDY)
    return bundle


def _describe(bundle: Bundle, plan: Plan) -> str:
    def tensor(spec: TensorSpec) -> dict[str, object]:
        return {
            "shape": spec.shape,
            "scale": spec.scale,
            "zero_point": spec.zero_point,
            "dtype": spec.dtype,
        }

    return json.dumps(
        {
            "sha256": bundle.sha256,
            "plan_id": bundle.plan_id,
            "lattice": tensor(bundle.input),
            "input": tensor(bundle.grid),
            "output": tensor(bundle.output),
            "ops": bundle.ops,
            "tflite_bytes": len(bundle.tflite),
            "plan_bytes": len(bundle.plan),
            "constant_bytes": plan.constant_bytes,
            "arena_bytes": bundle.arena_bytes,
            "tflm_arena_bytes": bundle.tflm_arena_bytes,
        },
        indent=2,
    )
