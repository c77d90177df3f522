"""How a run's tables are stored: every page has a checksum, so a flipped bit is an error."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

UNREADABLE = (OSError, ValueError, KeyError, OverflowError, MemoryError, pa.ArrowException)
"""What a damaged file ends in."""


def write_parquet(table: pa.Table, file: IO[bytes]) -> None:
    """Writes ``table`` to an open file."""
    pq.write_table(table, file, compression="zstd", write_page_checksum=True)


def read_parquet(path: Path, columns: list[str] | None = None) -> pa.Table:
    """The table of a file, or ``columns`` of it; its pages checked where they have checksums.

    Raises ``UNREADABLE``.
    """
    with path.open("rb") as file:
        return pq.read_table(file, columns=columns, page_checksum_verification=True)
