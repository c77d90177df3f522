"""A run folder made of thin air, whose every figure is known."""

import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tinyrobust.core.cells import Cell
from tinyrobust.host.records.examples import Examples, write_examples
from tinyrobust.host.records.schema import SCHEMA, AttackKind, Manifest, RungInfo

CLASSES = 4
EPS = (1 / 255, 4 / 255, 8 / 255, 16 / 255)
CELLS = (
    Cell("clean", "-", 0.0),
    *(
        Cell(attack, source, eps)
        for attack, source in (
            ("noise", "-"),
            ("fgsm", "float32"),
            ("pgd", "float32"),
            ("pgd", "qat"),
        )
        for eps in EPS
    ),
)
FEW = (CELLS[0], CELLS[-1])
KINDS = (
    AttackKind("clean", "No perturbation", "nothing", "linf", False, ""),
    AttackKind("noise", "Uniform noise", "nothing", "linf", False, ""),
    AttackKind("fgsm", "FGSM", "gradients", "linf", False, ""),
    AttackKind("pgd", "PGD", "gradients", "linf", False, ""),
    AttackKind("square", "Square", "scores", "linf", False, ""),
    AttackKind("deepfool", "DeepFool", "gradients", "l2", True, ""),
    AttackKind("ead", "EAD", "gradients", "l1", True, ""),
    AttackKind("boundary", "Boundary", "decisions", "l2", True, ""),
)
STRENGTH = {"clean": 0.0, "noise": 1.0, "fgsm": 6.0, "pgd": 9.0, "deepfool": 9.0}
DAMAGE = {"float32": 1.0, "qat": 0.8, "tflm": 0.75, "board": 0.75}


def manifest(shape=(8, 8, 1), rungs=tuple(DAMAGE), n=200, **changes):
    values = {
        "run_id": "20260101-0123456789ab",
        "created": "2026-01-01T12:00:00Z",
        "state": "complete",
        "model": "digits-qkeras <4 bit>",
        "data": "digits test",
        "data_sha256": "ab" * 32,
        "samples": n,
        "board": "qemu_an500",
        "emulated": True,
        "tick_unit": "instructions",
        "seeds": (0,),
        "attacks": ("clean", "noise", "fgsm", "pgd"),
        "eps": EPS,
        "input_shape": shape,
        "input_scale": 1 / 128,
        "input_zero_point": 0,
        "class_names": tuple("abcd"),
        "tflite_sha256": "cd" * 32,
        "plan_id": "ef" * 8,
        "tflite_bytes": 12345,
        "plan_bytes": 23456,
        "arena_bytes": 3456,
        "tflm_arena_bytes": 4567,
        "git": "0123abc",
        "versions": (("tensorflow", "2.21.0"), ("qemu-system-arm", "7.2")),
        "board_info": (("engine", "CMSIS-NN 12.5.1"), ("cpuid", "0x410fc271")),
        "rungs": tuple(RungInfo(name, True, "", f"about {name}") for name in rungs),
        "notes": ("pgd on qat at eps 8/255: looks fine",),
        "link": (("frames", 1000), ("retries", 2)),
        "kinds": KINDS,
    }
    return Manifest(**(values | changes))


def table(cells=CELLS, rungs=tuple(DAMAGE), n=200, labelled=True, outputs=CLASSES, seed=0):
    """Records whose accuracy falls with eps, more so for stronger attacks and on the upper
    rungs.
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, n)
    hardness = rng.uniform(0, 1, n)
    columns = {name: [] for name in SCHEMA.names}
    for cell in cells:
        level = round(cell.eps * 255)
        for rung in rungs:
            harm = 0.06 + STRENGTH[cell.attack] * cell.eps * DAMAGE[rung] * (
                1.3 if cell.source == rung else 1
            )
            predicted = np.where(hardness < harm, (labels + 1) % CLASSES, labels)
            raw = np.full((n, outputs), -30, np.int8)
            raw[np.arange(n), predicted] = 90
            integer = rung not in ("float32", "qat")
            columns["rung"] += [rung] * n
            columns["attack"] += [cell.attack] * n
            columns["source"] += [cell.source] * n
            columns["eps"] += [cell.eps] * n
            columns["seed"] += [cell.seed] * n
            columns["levels"] += [level] * n
            columns["linf"] += [level] * n
            columns["l2"] += [level / 255 * 8] * n
            columns["l1"] += [level / 255 * 64] * n
            columns["l0"] += [64 if level else 0] * n
            columns["unsnapped"] += [cell.eps] * n
            columns["failed"] += [False] * n
            columns["sample"] += list(range(n))
            columns["label"] += labels.tolist() if labelled else [-1] * n
            columns["predicted"] += predicted.tolist()
            columns["target"] += [-1] * n
            columns["input_crc"] += [zlib.crc32(bytes([level, i % 251])) for i in range(n)]
            columns["logits"] += (raw / 8).astype(np.float32).tolist()
            columns["raw"] += [row.tobytes() if integer else None for row in raw]
            columns["ticks"] += [1000 if rung == "board" else None] * n
            columns["retries"] += [0 if rung == "board" else None] * n
    return pa.table(columns, schema=SCHEMA)


def change(records, name, at, value):
    """``records`` with one value replaced."""
    values = records[name].to_pylist()
    values[at] = value
    return records.set_column(
        records.schema.get_field_index(name),
        SCHEMA.field(name),
        pa.array(values, SCHEMA.field(name).type),
    )


def row_of(records, rung, cell, sample):
    """Index of one record."""
    keys = zip(
        *(records[n].to_pylist() for n in ("rung", "attack", "source", "eps", "sample")),
        strict=True,
    )
    return list(keys).index((rung, cell.attack, cell.source, cell.eps, sample))


def examples(shape=(8, 8, 1), m=5):
    rng = np.random.default_rng(1)
    axes = np.meshgrid(*(np.linspace(-1, 1, d) for d in shape), indexing="ij")
    smooth = 90 * np.cos(sum((i + 2) * a for i, a in enumerate(axes))) - 20
    clean = np.clip(smooth + rng.normal(0, 6, (len(CELLS), m, *shape)), -128, 127).astype(np.int8)
    clean[:] = clean[0]
    adversarial = np.empty_like(clean)
    for k, cell in enumerate(CELLS):
        level = round(cell.eps * 255)
        adversarial[k] = np.clip(
            clean[k] + rng.integers(-level, level + 1, clean[k].shape), -128, 127
        )
    labels = np.tile(np.arange(m) % CLASSES, (len(CELLS), 1))
    return Examples(CELLS, clean, adversarial, labels)


def run_folder(path, records=None, shape=(8, 8, 1), pictures=False, **changes):
    """Write a run below ``path`` and return its folder.

    Few cells and no pictures unless asked for: both take time.
    """
    folder = path / "run"
    folder.mkdir()
    folder.joinpath("manifest.json").write_text(manifest(shape, **changes).to_json())
    pq.write_table(table(FEW) if records is None else records, folder / "records.parquet")
    if pictures:
        with (folder / "examples.npz").open("wb") as file:
            write_examples(file, examples(shape))
    return folder
