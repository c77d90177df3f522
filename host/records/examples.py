"""``examples.npz``: a few samples of each cell, clean and attacked, for the report's pictures."""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from tinyrobust.core.cells import Cell
from tinyrobust.core.errors import UsageError
from tinyrobust.core.npz import UNREADABLE
from tinyrobust.core.plain import one_line, printable
from tinyrobust.core.types import Int64Array, IntArray

_ARRAYS = ("names", "clean", "adversarial", "labels")
_MOST_BYTES = 1 << 28
_MOST_CELLS = 1 << 12


@dataclass(frozen=True)
class Examples:
    """A few samples as every cell shows them: the same m for each of k cells.

    Clean and adversarial are levels, int8 or int16 [k, m, *shape], labels int64 [k, m], -1 for
    none.
    """

    cells: tuple[Cell, ...]
    clean: IntArray
    adversarial: IntArray
    labels: Int64Array


def cell_name(cell: Cell) -> str:
    """``attack/source/eps/seed``, as stored in ``names``."""
    return f"{cell.attack}/{cell.source}/{cell.eps!r}/{cell.seed}"


def write_examples(file: IO[bytes], examples: Examples) -> None:
    """Write into an open file.

    The caller sees to it that a half-written one is never left behind.
    """
    names = np.array([cell_name(cell) for cell in examples.cells], dtype=np.str_)
    np.savez_compressed(
        file,
        names=names,
        clean=examples.clean,
        adversarial=examples.adversarial,
        labels=examples.labels,
    )


def read_examples(path: Path, shape: tuple[int, ...] | None = None) -> Examples:
    """Read the file.

    Raises UsageError unless it is what ``write_examples`` writes, of samples of ``shape``.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > _MOST_BYTES:
                raise ValueError(f"more than {_MOST_BYTES} bytes")
        with np.load(path, allow_pickle=False) as file:
            names, clean, adversarial, labels = (file[name] for name in _ARRAYS)
        if names.ndim != 1 or len(names) > _MOST_CELLS:
            raise ValueError(f"names of shape {names.shape}")
        cells = tuple(_cell(str(name)) for name in names)
        whole = clean.dtype == adversarial.dtype and clean.dtype in (np.int8, np.int16)
        if not whole or clean.shape != adversarial.shape:
            raise ValueError("clean and adversarial differ in type or shape")
        if clean.ndim < 3 or clean.shape[:2] != labels.shape or len(cells) != len(clean):
            raise ValueError("the arrays differ in length")
        if not clean.size or labels.dtype.kind not in "iu" or shape not in (None, clean.shape[2:]):
            raise ValueError(f"pictures of shape {clean.shape[2:]}, labels of type {labels.dtype}")
    except UNREADABLE as err:
        raise UsageError(
            f"{path}: not an examples file ({one_line(err)}); run the bench again"
        ) from None
    return Examples(cells, clean, adversarial, labels.astype(np.int64))


def _cell(name: str) -> Cell:
    attack, source, eps, seed = printable(name).split("/")
    if not math.isfinite(float(eps)):
        raise ValueError(f"eps {eps}")
    return Cell(attack, source, float(eps), int(seed))
