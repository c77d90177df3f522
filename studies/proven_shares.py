"""Keeps the figures of finished ``tinyrobust certify`` folders of zoo entries for the cards.

``python -m tinyrobust.studies.proven_shares FOLDER ...``
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinyrobust.core.errors import UsageError
from tinyrobust.host.records.certificates.read import read_subject
from tinyrobust.host.records.certificates.schema import SUMMARY
from tinyrobust.studies.pages import arguments, exit_code

if TYPE_CHECKING:
    from tinyrobust.models.zoo.proven import Proven


def proven_in(folder: Path) -> list[Proven]:
    """One row for each box of the command that last finished in ``folder``.

    What an interrupted one left for other boxes is no figure: the cheap samples come first. Raises
    UsageError where nothing is finished.
    """
    from tinyrobust.models.zoo.proven import Proven

    subject = read_subject(folder)
    try:
        boxes = json.loads((folder / SUMMARY).read_bytes()).get("boxes")
        if not boxes:
            raise UsageError(f"{folder}: not finished: run its tinyrobust certify again")
        return [
            Proven(
                model=subject.model,
                levels=int(box["levels"]),
                n=int(box["n"]),
                clean=round(box["clean"]["share"] * box["n"]),
                certified=round(box["certified"]["share"] * box["n"]),
                method=subject.method,
                budget=subject.budget,
                sha256=subject.tflite_sha256,
            )
            for box in boxes
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise UsageError(f"{folder / SUMMARY}: no figures of certify ({err})") from None


def keep_all(folders: Sequence[Path]) -> int:
    """Keeps and prints what is in ``folders``. Raises UsageError for a network not in the zoo."""
    from tinyrobust.models.zoo import proven
    from tinyrobust.models.zoo.catalog import find

    rows = [row for folder in folders for row in proven_in(folder)]
    for name in {row.model for row in rows}:
        find(name)
    proven.keep(rows)
    for row in rows:
        print(row)
    return os.EX_OK


def main() -> int:
    """Keeps what is in the folders that are named."""
    parser = arguments("proven_shares", __doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    folders = parser.parse_args().folders
    return exit_code(lambda: keep_all(folders))


if __name__ == "__main__":
    sys.exit(main())
