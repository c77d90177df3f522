"""How long an answer is waited for: as its kind has taken so far."""

from __future__ import annotations

from dataclasses import dataclass

from tinyrobust.core.abi.wire import Type

FIRST_TIMEOUT = {
    Type.HELLO: 0.5,
    Type.RESET: 1.0,
    Type.LOAD: 2.0,
    Type.INFER: 5.0,
    Type.LAYER: 5.0,
    Type.PROFILE: 5.0,
}
"""Seconds before an answer of this kind counts as lost, until one has been timed."""
LEAST_TIMEOUT, MOST_TIMEOUT = 0.25, 10.0


@dataclass
class Timing:
    """Round trips of one message type, in seconds: how long the next is waited for."""

    timeout: float
    smooth: float | None = None

    def sample(self, seconds: float) -> None:
        """One more round trip: the next may take four times the smoothed mean."""
        self.smooth = seconds if self.smooth is None else 0.8 * self.smooth + 0.2 * seconds
        self.timeout = min(max(LEAST_TIMEOUT, 4 * self.smooth), MOST_TIMEOUT)
