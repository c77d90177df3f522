"""What ``tinyrobust certify`` proved of zoo entries, for the cards.

Kept by ``python -m tinyrobust.studies.proven_shares``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tinyrobust.core.errors import UsageError
from tinyrobust.core.files import write_whole
from tinyrobust.core.stats import wilson
from tinyrobust.models.training import weight_files

FILE = weight_files.FOLDER / "certified.json"


@dataclass(frozen=True)
class Proven:
    """What holds for the first ``n`` test samples of ``model``, the .tflite of ``sha256``.

    ``clean`` are right, and ``certified`` keep their label at every point within ``levels`` levels
    of the input in each element. ``method`` and ``budget`` are those of ``tinyrobust certify``.
    """

    model: str
    levels: int
    n: int
    clean: int
    certified: int
    method: str
    budget: float
    sha256: str

    @property
    def key(self) -> tuple[str, int, str, float, int]:
        """What a later measurement replaces."""
        return self.model, self.levels, self.method, self.budget, self.n

    def __str__(self) -> str:
        return (
            f"| {self.model} | {self.levels}/255 | {self._method} | {self.n:,} "
            f"| {self._share(self.clean)} | {self._share(self.certified)} |"
        )

    @property
    def _method(self) -> str:
        return f"{self.method}, {self.budget:g} s a sample" if self.budget else self.method

    def _share(self, count: int) -> str:
        low, high = wilson(count, self.n)
        return f"{count / self.n:.2%} [{low:.2%}, {high:.2%}]"


def read(path: Path = FILE) -> list[Proven]:
    """In order; empty where nothing has been kept.

    Raises UsageError on a file that is none of ours.
    """
    if not path.exists():
        return []
    try:
        return sorted((Proven(**row) for row in json.loads(path.read_text())), key=_key)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as err:
        raise UsageError(
            f"{path}: no kept certificates ({err}); make them with python -m "
            "tinyrobust.studies.proven_shares"
        ) from None


def keep(rows: Sequence[Proven], path: Path = FILE) -> None:
    """Adds ``rows``, in place of older ones of the same key, in one rename.

    What was proven of another .tflite of the same name goes. Raises UsageError where the file
    cannot be read or written.
    """
    networks = {row.model: row.sha256 for row in rows}
    old = [row for row in read(path) if networks.get(row.model, row.sha256) == row.sha256]
    merged = {row.key: row for row in [*old, *rows]}
    lines = [f" {json.dumps(asdict(row))}" for row in sorted(merged.values(), key=_key)]
    write_whole(path, ("[\n" + ",\n".join(lines) + "\n]\n").encode())


def _key(row: Proven) -> tuple[str, int, str, float, int]:
    return row.key
