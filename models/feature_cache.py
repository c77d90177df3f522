"""Features that take minutes to compute, kept under ``TINYROBUST_CACHE``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from host.files import CACHE_REMEDY, replacing
from host.npz import UNREADABLE
from host.types import FloatArray
from models.download import cache_folder


@dataclass(frozen=True)
class Features:
    """``values`` float32 [n, ...] of the samples called ``names``, and the lines of the ``texts`` found beside them."""

    names: tuple[str, ...]
    values: FloatArray
    texts: dict[str, frozenset[str]]


def cached(data: str, code: tuple[Path, ...], make: Callable[[], Features]) -> Features:
    """What ``make`` returns, kept under the digest of its ``data`` and of the files of ``code`` that made it.

    Made again where what is kept is damaged. Raises UsageError where it cannot be written, and what ``make`` raises.
    """
    digest = hashlib.sha256(data.encode())
    for path in code:
        digest.update(path.read_bytes())
    path = cache_folder() / "features" / f"{digest.hexdigest()[:32]}.npz"
    kept = _read(path)
    return kept if kept is not None else _write(path, make())


def _read(path: Path) -> Features | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            texts = {name[5:]: frozenset(file[name].tolist()) for name in file.files if name.startswith("text:")}
            made = Features(tuple(file["names"].tolist()), file["values"], texts)
    except UNREADABLE:
        return None
    return made if len(made.names) == len(made.values) else None


def _write(path: Path, made: Features) -> Features:
    arrays: dict[str, Any] = {f"text:{name}": np.array(sorted(lines)) for name, lines in made.texts.items()}
    with replacing(path, CACHE_REMEDY) as file:
        np.savez(file, names=np.array(made.names), values=made.values, **arrays)
    return made
