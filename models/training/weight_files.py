"""The committed weights: ``models/weights/NAME.npz`` and, beside each, its card.

The card is ``NAME.json`` and says how they were made.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.core.files import replacing, write_whole
from tinyrobust.core.npz import UNREADABLE

FOLDER = Path(__file__).parents[1] / "weights"
_LARGEST = 1_000_000


@dataclass(frozen=True)
class Card:
    """How weights were made and what they reach on the whole test set.

    low..high is the 95 % Wilson interval.
    """

    name: str
    command: str
    seed: int
    epochs: int
    start: str | None
    penalty: str | None
    parameters: int
    test_set: str
    test_n: int
    test_accuracy: float
    low: float
    high: float
    versions: str
    certified_levels: int | None = None
    certified: float | None = None
    certified_low: float | None = None
    certified_high: float | None = None
    """Share of the same test set that the network's own intervals certify at so many input levels;
    None where training bounded nothing.
    """
    adversary: str | None = None
    """The attack in every step of adversarial training."""


def save(model: Any, card: Card, folder: Path = FOLDER) -> Path:
    """Writes both files, each by an atomic rename.

    Raises UsageError where they cannot be written or exceed 1 MB.
    """
    path = folder / f"{card.name}.npz"
    with replacing(path) as file:
        np.savez_compressed(file, **{f"w{i:03}": w for i, w in enumerate(model.get_weights())})
        if file.tell() > _LARGEST:
            raise UsageError(
                f"{path.name}: {file.tell()} bytes; committed weights stay below {_LARGEST}"
            )
    note = json.dumps(asdict(card), indent=1) + "\n"
    write_whole(path.with_suffix(".json"), note.encode())
    return path


def load(name: str, model: Any, folder: Path = FOLDER) -> None:
    """Sets ``model``'s weights to the committed ones.

    Raises UsageError when they are missing or another network's.
    """
    path = folder / f"{name}.npz"
    if not path.exists():
        raise UsageError(
            f"{path.name}: no such weights; make them with python -m "
            f"tinyrobust.models.training.make_weights {name}"
        )
    try:
        with np.load(path, allow_pickle=False) as saved:
            model.set_weights([saved[key] for key in sorted(saved.files)])
    except UNREADABLE as err:
        raise UsageError(f"{path}: not the weights of {model.name} ({err})") from None


def card(name: str, folder: Path = FOLDER) -> Card:
    """How the weights called ``name`` were made. Raises UsageError when there is no such card."""
    path = folder / f"{name}.json"
    try:
        return Card(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError, RecursionError) as err:
        raise UsageError(f"{path}: no model card ({err})") from None
