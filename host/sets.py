"""Adversarial sets, made once: cached by what they are made of, so that every board is fed the same bytes."""

from __future__ import annotations

import hashlib
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np

import attacks
from attacks.base import make
from host.store import replacing
from host.types import AdversarialSet, Cell, Dataset, Predictor, TensorSpec


@lru_cache(maxsize=1)
def code_version() -> str:
    """SHA-256 of the attacks' own sources: a changed attack makes new sets."""
    digest = hashlib.sha256()
    for path in sorted(Path(str(attacks.__file__)).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def key(cell: Cell, models: str, data: Dataset, spec: TensorSpec) -> str:
    """Hash of all that determines a set. ``models`` identifies the rungs it may be made on."""
    parts = (repr(cell), models, hashlib.sha256(data.q.tobytes()).hexdigest(),
             hashlib.sha256(data.labels.tobytes()).hexdigest(), repr(spec), code_version())  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class Sets:
    """The cache in ``folder``. ``models`` identifies the ladder's models."""

    def __init__(self, folder: Path, models: str, data: Dataset, spec: TensorSpec) -> None:
        self._folder, self._models, self._data, self._spec = folder, models, data, spec
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, cell: Cell, source: Predictor | None) -> AdversarialSet:
        """The set of ``cell``, made on ``source`` unless an intact one is cached."""
        path = self._folder / f"{key(cell, self._models, self._data, self._spec)}.npz"
        found = self._read(path, cell) if path.exists() else None
        if found is not None:
            return found
        made = make(cell, source, self._data.q, self._data.labels, self._spec)
        with replacing(path) as file:
            np.savez_compressed(file, q=made.q, levels=made.levels, linf=made.linf, notes=np.array(made.notes, np.str_))
        return made

    def _read(self, path: Path, cell: Cell) -> AdversarialSet | None:
        try:
            with np.load(path, allow_pickle=False) as file:
                q, linf = file["q"], file["linf"]
                made = AdversarialSet(cell, q, int(file["levels"]), linf, tuple(str(note) for note in file["notes"]))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        clean = self._data.q
        if q.dtype != np.int8 or q.shape != clean.shape or linf.shape != clean.shape[:1]:
            return None
        moved = np.abs(q.astype(np.int16) - clean).reshape(len(clean), -1).max(axis=1, initial=0)
        return made if (moved == linf).all() and (moved <= made.levels).all() else None
