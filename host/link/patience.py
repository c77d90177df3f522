"""A bad line is spoken of while it is slow, and given up once it is hopeless."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tinyrobust.core.errors import LinkError
from tinyrobust.core.progress import Say
from tinyrobust.host.link.noise import Noise

PATIENCE_SECONDS = 300.0
"""Without one answered request for so long, the line is given up, however much the board talks."""
HOPELESS_SECONDS = 30.0
HOPELESS_LOSSES = 50
"""Without an answer for so long and so many losses: one not to be expected is not waited for."""
MOST_SHARE = 0.1
"""Of damaged bytes: beyond it voting does not give back an INFO."""
SAY_SECONDS, MOST_SAY_SECONDS = 10.0, 60.0
"""How often a slow line is spoken of: ever less often."""
SLOW = 10
"""Frames sent per answer from which on a line is spoken of."""
ADVICE = "use a shorter cable, another USB port or a lower rate (baud in the board's file)"


class NoisyError(LinkError):
    """The line damages too much for an answer to be expected; what was recorded is kept."""


def silent(_: str) -> None:
    """Says nothing."""


def unanswered(seconds: float) -> str:
    """``no answer for 30 s``: what every line says that gives a board up."""
    return f"no answer for {seconds:.2g} s" if seconds < 10 else f"no answer for {seconds:.0f} s"


@dataclass
class Patience:
    """Watches the exchanges of one link; moments are those of ``time.monotonic``."""

    seconds: float = PATIENCE_SECONDS
    say: Say = silent
    noise: Noise = field(default_factory=Noise)

    def __post_init__(self) -> None:
        self._sent = self._answered = 0
        self._since = 0.0  # when the exchange began, or its last answer
        self._lost = 0  # since then
        self._said: float | None = None
        self._pause = SAY_SECONDS
        self._before = (0, 0)  # sent and answered by then

    def begin(self, now: float) -> None:
        """An exchange begins."""
        self._since, self._lost = now, 0
        if self._said is None:
            self._said = now

    def sent(self) -> None:
        """A request went out."""
        self._sent += 1

    def answered(self, now: float) -> None:
        """A request was answered."""
        self._since, self._lost = now, 0
        self._answered += 1

    def check(self, now: float, lost: int, size: int) -> None:
        """``lost`` requests, the oldest of ``size`` bytes, go out again.

        Says now and then how it goes. Raises NoisyError.
        """
        self._lost += lost
        waited = now - self._since
        if waited > self.seconds:
            raise NoisyError(f"{self._state()}, {unanswered(waited)}: {ADVICE}")
        if waited > HOPELESS_SECONDS and self._lost >= HOPELESS_LOSSES:
            self._expect(waited, size)
        if self._said is not None and now - self._said > self._pause:
            sent, answered = self._sent - self._before[0], self._answered - self._before[1]
            if sent > SLOW * max(1, answered):
                self.say(f"{self._state()}, all but {answered} of the last {sent}: going on")
                self._pause = min(2 * self._pause, MOST_SAY_SECONDS)
            self._said, self._before = now, (self._sent, self._answered)

    def _expect(self, waited: float, size: int) -> None:
        """Raises NoisyError where at this rate no answer is to be expected in time."""
        share = self.noise.share()
        if share > MOST_SHARE:
            raise NoisyError(f"{self._state()}, {unanswered(waited)}: {ADVICE}")
        digits = -size * math.log10(1 - share)
        if math.log10(waited / self._lost) + digits > math.log10(self.seconds):
            odds = f"a request of {size} bytes arrives whole once in {_rounded(digits)} tries"
            raise NoisyError(f"{self._state()}, {unanswered(waited)}; {odds}: {ADVICE}")

    def _state(self) -> str:
        percent = 100 * self.noise.share()
        lost = f"{self._sent - self._answered} of {self._sent} requests lost"
        if not percent:
            return f"the line loses frames ({lost})"
        digits = f"{percent:.2g}" if percent < 10 else f"{percent:.0f}"
        return f"the line damages about {digits} % of the bytes ({lost})"


def _rounded(digits: float) -> str:
    """10 to the power of ``digits``, readable."""
    return f"{10**digits:,.0f}" if digits < 6 else f"10^{digits:.0f}"
