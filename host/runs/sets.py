"""Adversarial sets, made once, so that every board is fed the same bytes.

They are cached by what they are made of.

A set is a folder with a file for every batch, so that an attack that is interrupted loses one batch
at most.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinyrobust.attacks.base.problem import Lattice
from tinyrobust.attacks.batches import BATCH, Batch
from tinyrobust.attacks.make import AttackRequest, check, prepare, run
from tinyrobust.attacks.versions import of_attack, of_checks
from tinyrobust.core.cells import AdversarialSet, Cell, Flag, FlagKind
from tinyrobust.core.files import CACHE_REMEDY, made_folder, replacing, write_whole
from tinyrobust.core.npz import UNREADABLE
from tinyrobust.core.progress import Pace, Say
from tinyrobust.core.types import Dataset, IntArray, Predictor, TensorSpec

MOST_FLAGS = 1 << 16
"""Bytes of a file of flags."""


def key(
    cell: Cell,
    models: str,
    data: Dataset,
    spec: TensorSpec,
    lattice: Lattice,
    queries: int | None = None,
    target: str = "",
) -> str:
    """Hash of all that determines a set.

    ``models`` identifies the source; ``queries`` is the prepared problem's, None where the attack
    asks nothing.
    """
    parts = (
        repr(cell),
        models,
        hashlib.sha256(data.q.tobytes()).hexdigest(),
        hashlib.sha256(data.labels.tobytes()).hexdigest(),
        repr(spec),
        lattice.value,
        of_attack(cell.attack),
        str(queries),
        target,
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class Sets:
    """The cache in ``folder``."""

    def __init__(
        self,
        folder: Path,
        data: Dataset,
        spec: TensorSpec,
        lattice: Lattice | None,
        say: Say,
        queries: int | None = None,
        target: str = "",
    ) -> None:
        self._folder, self._data, self._spec = folder, data, spec
        self._lattice, self._say, self._queries = lattice, say, queries
        self._target = target

    def get(self, cell: Cell, source: Predictor | None, models: str) -> AdversarialSet:
        """The set of ``cell``, made on ``source`` as far as its batches are not cached intact.

        ``models`` identifies the source: the ladder it belongs to, and of a device the firmware.
        """
        prepared = prepare(
            AttackRequest(
                cell,
                source,
                self._data.q,
                self._data.labels,
                self._spec,
                self._lattice,
                self._queries,
                self._target,
            )
        )
        problem = prepared.problem
        name = key(
            cell, models, self._data, self._spec, problem.lattice, problem.queries, self._target
        )
        folder = self._folder / name
        made_folder(folder, CACHE_REMEDY)
        pace = Pace(
            f"{cell.attack} eps {cell.eps:.4g} from {cell.source}", "samples attacked", self._say
        )
        made = run(prepared, _Kept(folder, self._data.q, problem.levels), pace)
        path = folder / f"flags-{of_checks()[:16]}.json"
        flags = _read_flags(path, cell)
        if flags is None:
            flags = check(prepared, made)
            if not made.failed.any():
                said = json.dumps([[flag.kind.value, flag.detail] for flag in flags])
                write_whole(path, said.encode(), CACHE_REMEDY)
        return replace(made, flags=made.flags + flags)


@dataclass(frozen=True)
class _Kept:
    """Batches of one set as files: ``tinyrobust.attacks.make.Kept``."""

    folder: Path
    clean: IntArray
    levels: int

    def read(self, index: int) -> Batch | None:
        """The batch at ``index``; None where it has to be made.

        That is where the file is missing, damaged or not of this set, or holds a failure of an
        earlier version.
        """
        clean = self.clean[index * BATCH : (index + 1) * BATCH]
        try:
            with np.load(self._path(index), allow_pickle=False) as file:
                batch = Batch(
                    file["q"],
                    file["unsnapped"],
                    int(file["lost"]),
                    str(file["failure"]),
                    tuple(
                        (str(part), int(left))
                        for part, left in zip(file["parts"], file["left"], strict=True)
                    ),
                    (int(file["tally"][0]), int(file["tally"][1])),
                )
        except UNREADABLE:
            return None
        fits = batch.q.shape == clean.shape and batch.unsnapped.shape == clean.shape[:1]
        if not fits or batch.q.dtype != clean.dtype or batch.failure:
            return None
        moved = np.abs(batch.q.astype(np.int32) - clean).max(initial=0)
        return batch if moved <= self.levels else None

    def write(self, index: int, batch: Batch) -> None:
        """Whole or not at all."""
        with replacing(self._path(index), CACHE_REMEDY) as file:
            np.savez_compressed(
                file,
                q=batch.q,
                unsnapped=batch.unsnapped,
                lost=batch.lost,
                failure=np.array(batch.failure, np.str_),
                parts=np.array([part for part, _ in batch.parts], np.str_),
                left=np.array([left for _, left in batch.parts], np.int64),
                tally=np.array(batch.tally, np.int64),
            )

    def _path(self, index: int) -> Path:
        return self.folder / f"{index:05d}.npz"


def _read_flags(path: Path, cell: Cell) -> tuple[Flag, ...] | None:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(MOST_FLAGS))
        return tuple(Flag(FlagKind(kind), cell, str(detail)) for kind, detail in found)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
