"""Damaged copies of one answer, voted byte by byte until the CRC holds.

This is hybrid ARQ with Chase combining (Chase 1985).

A long answer never arrives whole over a bad line: at 5 % of bytes corrupted, INFO survives 3 times
in a million. Its repetitions are the same bytes, sequence number included, so seven damaged copies
give it back. Where the line also loses and doubles bytes, so that hardly two copies are of one
length, they are aligned first (host/link/align.py).
"""

from __future__ import annotations

from collections import deque

import numpy as np

from tinyrobust.host.link.align import consensus
from tinyrobust.host.link.frame import Frame, decode

COPIES = 9
LENGTHS = 8
MAX_BYTES = 4096
RECENT = 32
"""Damaged frames of any length that are kept for alignment."""
LEAST_ALIGNED, MOST_ALIGNED, MAX_ALIGNED_BYTES = 4, 12, 512
"""Copies that are aligned, and their length: 12 of 254 bytes take about 0.1 s."""
ROUNDS = 2


class Ballot:
    """The last ``COPIES`` damaged frames of each of up to ``LENGTHS`` lengths.

    A frame has at most ``MAX_BYTES``.
    """

    def __init__(self) -> None:
        self._copies: dict[int, list[bytes]] = {}
        self._recent: deque[bytes] = deque(maxlen=RECENT)

    def clear(self) -> None:
        """Forget all: the next answer is another one."""
        self._copies.clear()
        self._recent.clear()

    def add(self, encoded: bytes) -> Frame | None:
        """One more damaged frame.

        The message that most of about its length agree on, if its CRC holds.
        """
        if not 0 < len(encoded) <= MAX_BYTES:
            return None
        copies = self._copies.pop(len(encoded), [])
        copies = [*copies[1 - COPIES :], encoded]
        self._copies[len(encoded)] = copies
        if len(self._copies) > LENGTHS:
            del self._copies[next(iter(self._copies))]
        self._recent.append(encoded)
        voted = decode(majority(copies)) if len(copies) > 2 else None
        return voted or self._aligned(encoded)

    def _aligned(self, encoded: bytes) -> Frame | None:
        """The vote of the last copies whose lengths differ, but by a few bytes only."""
        if len(encoded) > MAX_ALIGNED_BYTES:
            return None
        near = max(3, len(encoded) // 12)
        copies = [c for c in self._recent if abs(len(c) - len(encoded)) <= near][-MOST_ALIGNED:]
        equal = sum(len(c) == len(encoded) for c in copies)
        if len(copies) < LEAST_ALIGNED or 3 * equal > 2 * len(copies):
            return None
        for _ in range(ROUNDS):
            encoded = consensus(copies, encoded)
            if frame := decode(encoded):
                return frame
        return None


def majority(copies: list[bytes]) -> bytes:
    """The most frequent byte at each position of equally long ``copies``.

    The earliest copy wins a draw.
    """
    votes = np.stack([np.frombuffer(copy, np.uint8) for copy in copies])
    counts = (votes[:, None, :] == votes[None, :, :]).sum(axis=1)
    return bytes(votes[counts.argmax(axis=0), np.arange(votes.shape[1])])
