"""A board's bytes against tflite-micro's, as they were measured for the cards.

``python -m tinyrobust.studies.board_agreement`` measures them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tinyrobust.core.errors import UsageError
from tinyrobust.core.files import write_whole
from tinyrobust.models.training import weight_files

FILE = weight_files.FOLDER / "on_board.json"


@dataclass(frozen=True)
class BoardAgreement:
    """How many of a board's output bytes equal tflite-micro's.

    They are ``equal`` of ``compared`` bytes of ``samples`` test samples, for the .tflite of
    ``sha256``.
    """

    board: str
    samples: int
    equal: int
    compared: int
    sha256: str

    def __str__(self) -> str:
        share = "all" if self.equal == self.compared else f"{self.equal:,} of"
        return f"{share} {self.compared:,} bytes, {self.samples} samples"


def read(path: Path = FILE) -> dict[str, BoardAgreement]:
    """What was measured, by zoo entry; empty where nothing has been measured.

    Raises UsageError on a file that is none of ours.
    """
    if not path.exists():
        return {}
    try:
        return {name: BoardAgreement(**row) for name, row in json.loads(path.read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as err:
        raise UsageError(
            f"{path}: no agreement file ({err}); make it with python -m "
            "tinyrobust.studies.board_agreement"
        ) from None


def write(rows: dict[str, BoardAgreement], path: Path = FILE) -> None:
    """Replaces the file in one rename. Raises UsageError where that cannot be."""
    text = ",\n".join(
        f" {json.dumps(name)}: {json.dumps(asdict(rows[name]))}" for name in sorted(rows)
    )
    write_whole(path, f"{{\n{text}\n}}\n".encode())
