"""Damaged copies of one message of unlike lengths, aligned and voted.

Star alignment, as in reading DNA or reconstructing a sequence from its traces (Gusfield 1993; Batu,
Kannan, Khanna and McGregor 2004): each copy is aligned with one of them by least edit distance
(Levenshtein 1966), each column votes, and the result takes that one's place once more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

GAP = -1
"""In place of a byte that a copy lacks."""
NO_BYTE = 256
"""Past a copy's end: equals no byte."""


def consensus(copies: Sequence[bytes], backbone: bytes) -> bytes:
    """What most of ``copies`` say, each aligned with ``backbone``.

    Time and memory grow with the number of copies and with the square of their length.
    """
    columns = [_Column() for _ in range(len(backbone) + 1)]
    for copy, distance in zip(copies, _distances(backbone, copies), strict=True):
        _vote(backbone, copy, distance, columns)
    return b"".join(column.inserted(len(copies)) + column.kept() for column in columns)


@dataclass
class _Column:
    """Votes on one byte of the backbone, and on what stands before it."""

    here: Counter[int] = field(default_factory=Counter)
    before: list[bytes] = field(default_factory=list)

    def kept(self) -> bytes:
        """What most voters have here: one byte, or none."""
        byte = self.here.most_common(1)[0][0] if self.here else GAP
        return b"" if byte == GAP else bytes([byte])

    def inserted(self, voters: int) -> bytes:
        """What most voters put before this byte."""
        if 2 * len(self.before) <= voters:
            return b""
        return Counter(self.before).most_common(1)[0][0]


def _distances(backbone: bytes, copies: Sequence[bytes]) -> NDArray[np.int16]:
    """Edit distances of all prefixes, int16 [copies, len(backbone) + 1, longest copy + 1]."""
    longest = max(map(len, copies))
    padded = np.full((len(copies), longest), NO_BYTE, np.int16)
    for row, copy in zip(padded, copies, strict=True):
        row[: len(copy)] = np.frombuffer(copy, np.uint8)
    steps = np.arange(longest + 1, dtype=np.int16)
    out = np.empty((len(backbone) + 1, len(copies), longest + 1), np.int16)
    out[0] = steps
    for i, byte in enumerate(backbone):
        above = out[i]
        here = out[i + 1]
        here[:, 0] = i + 1
        np.minimum(above[:, :-1] + (padded != byte), above[:, 1:] + 1, out=here[:, 1:])
        # Insertions cost one each: the least of (distance where a run began - column) + column.
        here -= steps
        np.minimum.accumulate(here, axis=1, out=here)
        here += steps
    distances: NDArray[np.int16] = out.transpose(1, 0, 2)
    return distances


def _vote(
    backbone: bytes, copy: bytes, distance: NDArray[np.int16], columns: list[_Column]
) -> None:
    """Walks the cheapest alignment back from its end and votes in the columns that it passes."""
    i, j = len(backbone), len(copy)
    rows = distance[:, : j + 1].tolist()
    extra = bytearray()
    while i or j:
        if i and j and rows[i][j] == rows[i - 1][j - 1] + (backbone[i - 1] != copy[j - 1]):
            i, j = i - 1, j - 1
            passed = int(copy[j])
        elif j and rows[i][j] == rows[i][j - 1] + 1:
            j -= 1
            extra.append(copy[j])
            continue
        else:
            i -= 1
            passed = GAP
        if extra:
            columns[i + 1].before.append(bytes(reversed(extra)))
            extra.clear()
        columns[i].here[passed] += 1
    if extra:
        columns[0].before.append(bytes(reversed(extra)))
