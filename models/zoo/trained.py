"""Zoo entries with committed weights: a float network and its quantized counterpart.

They are exported and checked.
"""

from __future__ import annotations

from pathlib import Path

from tinyrobust.core.progress import Say
from tinyrobust.models.export.qkeras import export_qat
from tinyrobust.models.rungs.ladder import Entry, Ladder
from tinyrobust.models.training import weight_files
from tinyrobust.models.training.recipes import recipe

_EXACT = 1.0
_EIGHT_BITS = 0.99
"""8-bit weights in front of signed logits leave no spare bit for TFLite's two roundings: single
levels may differ.
"""


def committed(name: str) -> Entry:
    """The ladder of the quantized recipe ``name``, from committed weights.

    Its float network is that of the recipe it started from.
    """

    def ladder(cache: Path, say: Say) -> Ladder:
        chosen = recipe(name)
        if chosen.start is None:
            raise TypeError(f"{name} is a float recipe; a ladder needs a quantized one")
        full, qat = recipe(chosen.start).build(), chosen.build()
        weight_files.load(chosen.start, full)
        weight_files.load(name, qat)
        task = chosen.task
        floor = _EIGHT_BITS if name.startswith("digits-8bit") else _EXACT
        return export_qat(
            name, full, qat, task.spec, task.splits(), task.class_names, cache, say, floor
        )

    return ladder


def entries() -> dict[str, Entry]:
    """Every quantized recipe whose weights, and whose float network's, are committed."""
    have = {path.stem for path in weight_files.FOLDER.glob("*.npz")}
    return {
        name: committed(name)
        for name in sorted(have)
        if recipe(name).quantized and recipe(name).start in have
    }
